/**
 * The opened outputs: who plays audio, how far they are, and how to silence them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Audio from "../../Audio.ts"
import type { BidiOutput, Connected } from "../../BidiOutput.ts"
import { atMost } from "../conversation/shutdown.ts"
import type { Fanout } from "../events/fanout.ts"
import { type Ledger, type Position, RemoteTime } from "./ledger.ts"

// A device that has not done in this time what it was asked for is left behind; its position is taken as it is.
const TIMEOUT = "250 millis"

const together = { concurrency: "unbounded", discard: true } as const

export interface Outputs {
  /** Connects an opened output: it gets its events from now on. */
  readonly add: <E, R>(output: BidiOutput<E, R>, connected: Connected<E>) => void
  /** Drops the audio that waits anywhere, and silences every device. What they play next, they play: a pause is over. */
  readonly flush: Effect.Effect<void>
  /** Whether everything that plays can pause. */
  readonly canPause: () => boolean
  readonly isPaused: () => boolean
  readonly pause: Effect.Effect<void>
  /** Ends a pause; nothing happens without one. */
  readonly resume: Effect.Effect<void>
  /** A remote speaker tells how much of an item it has played. */
  readonly report: (itemId: string, played: Duration.Duration) => void
}

export const make = Effect.fnUntraced(function* (format: Audio.AudioFormat, fanout: Fanout, ledger: Ledger) {
  const clock = yield* Clock.Clock
  const flushes: Array<Effect.Effect<void>> = []
  const remotes: Array<Remote> = []
  const playing: Array<Pick<Connected<unknown>, "pause" | "resume">> = []
  let paused = false

  const resume = Effect.suspend(() => {
    if (!paused) return Effect.void
    paused = false
    return Effect.forEach(playing, ({ resume }) => asked("an output did not go on after a pause", resume), together)
  })

  return {
    add: (output, sink) => {
      const { playback } = sink
      let { flush, offer, pause, resume } = sink
      if (typeof playback === "function") {
        ledger.add(() => Duration.toMillis(playback()))
      } else if (playback === "remote") {
        const remote = new Remote(ledger, clock)
        remotes.push(remote)
        flush = Effect.andThen(flush, Effect.sync(remote.flush))
        if (pause) pause = Effect.andThen(pause, Effect.sync(remote.pause))
        if (resume) resume = Effect.andThen(resume, Effect.sync(remote.resume))
        offer = (event) => {
          if (event._tag === "AudioStream") remote.append(Audio.millis(format, event.audio.length))
          sink.offer(event)
        }
      }
      if (playback !== "none") {
        playing.push({ ...(pause === undefined ? {} : { pause }), ...(resume === undefined ? {} : { resume }) })
      }
      flushes.push(asked(`the output "${output.name}" did not fall silent`, flush))
      fanout.subscribe(output.events, offer)
    },
    flush: Effect.andThen(
      Effect.suspend(() => Effect.all(flushes, together)),
      resume
    ),
    canPause: () => playing.length > 0 && playing.every(({ pause, resume }) => pause && resume),
    isPaused: () => paused,
    pause: Effect.suspend(() => {
      paused = true
      return Effect.forEach(playing, ({ pause }) => asked("an output did not pause", pause), together)
    }),
    resume,
    report: (itemId, played) => {
      for (const remote of remotes) remote.report(itemId, Duration.toMillis(played))
    }
  } satisfies Outputs
})

// What a device dies of is not what whoever asks it dies of.
const asked = (problem: string, effect: Effect.Effect<void> = Effect.void) =>
  Effect.flatMap(atMost(effect, TIMEOUT), (exit) => {
    if (Option.isNone(exit)) return Effect.logWarning(`${problem} within ${TIMEOUT}`)
    return Exit.isSuccess(exit.value) ? Effect.void : Effect.logWarning(problem, exit.value.cause)
  })

/** A device that cannot be asked, and may tell where it is. */
class Remote {
  private readonly time = new RemoteTime()
  private readonly ledger: Ledger
  private readonly clock: Clock.Clock
  private readonly position: Position

  constructor(ledger: Ledger, clock: Clock.Clock) {
    this.ledger = ledger
    this.clock = clock
    this.position = () => this.time.played(this.now())
    ledger.add(this.position)
  }

  append(millis: number): void {
    this.time.append(millis, this.now())
  }

  report(itemId: string, played: number): void {
    const position = this.ledger.locate(this.position, itemId, played)
    if (position !== undefined) this.time.report(position, this.now())
  }

  readonly flush = (): void => this.time.flush(this.now())

  readonly pause = (): void => this.time.pause(this.now())

  readonly resume = (): void => this.time.resume(this.now())

  private now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }
}
