/**
 * The opened outputs: who plays audio, how far they are, and how to silence them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Audio from "../Audio.ts"
import type { BidiOutput, Sink } from "../BidiOutput.ts"
import { atMost } from "./closing.ts"
import type { Fanout } from "./fanout.ts"
import { type Ledger, type Position, RealTime } from "./playback.ts"

// A device that does not fall silent in this time is left behind; its position is taken as it is.
const FLUSH_TIMEOUT = "250 millis"

export interface Outputs {
  /** Connects an opened output: it gets its events from now on. */
  readonly add: <E, R>(output: BidiOutput<E, R>, sink: Sink<E>) => void
  /** Drops the audio that waits anywhere, and silences every device. */
  readonly flush: Effect.Effect<void>
  /** Whether everything that plays can pause. */
  readonly canPause: () => boolean
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** A remote speaker tells how much of an item it has played. */
  readonly report: (itemId: string, played: Duration.Duration) => void
}

export const make = Effect.fnUntraced(function* (format: Audio.AudioFormat, fanout: Fanout, ledger: Ledger) {
  const clock = yield* Clock.Clock
  const flushes: Array<Effect.Effect<void>> = []
  const remotes: Array<Remote> = []
  const playing: Array<Sink<unknown>> = []

  const bounded = (name: string, flush: Effect.Effect<void>) =>
    Effect.flatMap(atMost(flush, FLUSH_TIMEOUT), (exit) =>
      Option.isSome(exit)
        ? Effect.void
        : Effect.logWarning(`the output "${name}" did not fall silent within ${FLUSH_TIMEOUT}`)
    )

  return {
    add: (output, sink) => {
      const { playback } = sink
      let offer = sink.offer
      let flush = sink.flush
      if (typeof playback === "function") {
        ledger.add(() => Duration.toMillis(playback()))
      } else if (playback === "remote") {
        const remote = new Remote(ledger, clock)
        remotes.push(remote)
        flush = Effect.andThen(flush, Effect.sync(remote.flush))
        offer = (event) => {
          if (event._tag === "AudioStream") remote.append(Audio.millis(format, event.audio.length))
          sink.offer(event)
        }
      }
      if (playback !== "none") playing.push(sink)
      flushes.push(bounded(output.name, flush))
      fanout.subscribe(output.events, offer)
    },
    flush: Effect.suspend(() => Effect.all(flushes, { concurrency: "unbounded", discard: true })),
    canPause: () => playing.length > 0 && playing.every(({ pause, resume }) => pause && resume),
    pause: Effect.suspend(() => Effect.forEach(playing, ({ pause }) => pause ?? Effect.void, { discard: true })),
    resume: Effect.suspend(() => Effect.forEach(playing, ({ resume }) => resume ?? Effect.void, { discard: true })),
    report: (itemId, played) => {
      for (const remote of remotes) remote.report(itemId, Duration.toMillis(played))
    }
  } satisfies Outputs
})

/** A device that cannot be asked: it is where it last said it was, or else where real time says. */
class Remote {
  private readonly estimate = new RealTime()
  private reported: number | undefined
  private readonly ledger: Ledger
  private readonly clock: Clock.Clock
  private readonly position: Position

  constructor(ledger: Ledger, clock: Clock.Clock) {
    this.ledger = ledger
    this.clock = clock
    this.position = () => this.reported ?? this.estimate.played(clock.currentTimeMillisUnsafe())
    ledger.add(this.position)
  }

  append(millis: number): void {
    this.estimate.append(millis, this.clock.currentTimeMillisUnsafe())
  }

  report(itemId: string, played: number): void {
    const position = this.ledger.locate(this.position, itemId, played)
    if (position !== undefined) this.reported = Math.max(this.reported ?? 0, position)
  }

  readonly flush = (): void => {
    this.estimate.flush(this.clock.currentTimeMillisUnsafe())
  }
}
