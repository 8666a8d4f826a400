/**
 * The opened outputs: which of them play audio, how much they have played, and how to flush them.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Audio from "../../Audio.ts"
import type { BidiOutput, Connected } from "../../BidiOutput.ts"
import { atMost } from "../conversation/shutdown.ts"
import type { Audible } from "./audible.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Ledger } from "./ledger.ts"
import { RemoteSpeaker } from "./remoteSpeaker.ts"

// A device that takes longer is left behind; its position is taken as it is.
const DEVICE_TIMEOUT = "250 millis"

const together = { concurrency: "unbounded", discard: true } as const

export interface Outputs {
  /** Connects an opened output: it gets its events from now on. */
  readonly add: <E, R>(output: BidiOutput<E, R>, connected: Connected<E>) => void
  /** Drops all audio that waits, and silences every device. It ends a pause. */
  readonly flush: Effect.Effect<void>
  /** Whether everything that plays can pause. */
  readonly canPause: () => boolean
  readonly isPaused: () => boolean
  readonly pause: Effect.Effect<void>
  /** Ends a pause; nothing happens without one. */
  readonly resume: Effect.Effect<void>
  /** A remote speaker reports how much of an item it has played. */
  readonly report: (itemId: string, played: Duration.Duration) => void
}

export const make = Effect.fnUntraced(function* (
  format: Audio.AudioFormat,
  fanout: Fanout,
  ledger: Ledger,
  audible: Audible
) {
  const clock = yield* Clock.Clock
  const flushes: Array<Effect.Effect<void>> = []
  const remotes: Array<RemoteSpeaker> = []
  const playing: Array<Pick<Connected<unknown>, "pause" | "resume">> = []
  let paused = false

  const resume = Effect.suspend(() => {
    if (!paused) return Effect.void
    paused = false
    const resumed = Effect.sync(() => audible.pausing(false))
    return Effect.andThen(
      Effect.forEach(playing, ({ resume }) => request("an output did not resume", resume), together),
      resumed
    )
  })

  return {
    add: (output, sink) => {
      const { playback } = sink
      let { flush, offer, pause, resume } = sink
      if (typeof playback === "function") {
        ledger.add(() => Duration.toMillis(playback()))
      } else if (playback === "remote") {
        const remote = new RemoteSpeaker(ledger, clock)
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
      flushes.push(request(`the output "${output.name}" was not flushed`, flush))
      fanout.subscribe(output.events, offer)
    },
    flush: Effect.andThen(
      Effect.suspend(() => Effect.all(flushes, together)),
      Effect.andThen(
        Effect.sync(() => audible.flushed()),
        resume
      )
    ),
    canPause: () => playing.length > 0 && playing.every(({ pause, resume }) => pause && resume),
    isPaused: () => paused,
    pause: Effect.suspend(() => {
      paused = true
      return Effect.andThen(
        Effect.forEach(playing, ({ pause }) => request("an output did not pause", pause), together),
        Effect.sync(() => audible.pausing(true))
      )
    }),
    resume,
    report: (itemId, played) => {
      for (const remote of remotes) remote.report(itemId, Duration.toMillis(played))
    }
  } satisfies Outputs
})

// A failure of the device is not one of the conversation.
const request = (problem: string, effect: Effect.Effect<void> = Effect.void) =>
  Effect.flatMap(atMost(effect, DEVICE_TIMEOUT), (exit) => {
    if (Option.isNone(exit)) return Effect.logWarning(`${problem} within ${DEVICE_TIMEOUT}`)
    return Exit.isSuccess(exit.value) ? Effect.void : Effect.logWarning(problem, exit.value.cause)
  })
