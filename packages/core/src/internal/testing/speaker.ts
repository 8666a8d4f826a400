/**
 * A speaker that plays in the time of the clock, and a recorder of events.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Audio from "../../Audio.ts"
import type { AudioStream, Output } from "../../BidiEvent.ts"
import { allTags } from "../events/tags.ts"
import * as BidiOutput from "../../BidiOutput.ts"
import { RealTime } from "../playback/ledger.ts"

/**
 * What was heard of an item.
 *
 * @category models
 */
export interface Heard {
  readonly responseId: string
  readonly itemId: string
  readonly heard: Duration.Duration
}

/**
 * @category models
 */
export interface VirtualSpeaker {
  readonly output: BidiOutput.BidiOutput
  /** What has left the speaker so far, in order, item by item. */
  readonly heard: () => ReadonlyArray<Heard>
  /** How long it has sounded in all. */
  readonly played: () => Duration.Duration
  /** How often it was silenced. */
  readonly flushes: () => number
}

/**
 * A speaker without a device: it plays what it is given in the time of the `Clock` (so in virtual time under
 * `TestClock`), can be silenced, and knows to the millisecond what was heard.
 *
 * @category constructors
 */
export const speaker = Effect.fnUntraced(function* (name: string = "speaker") {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const time = new RealTime()
  const frames: Array<{ readonly frame: AudioStream; readonly millis: number }> = []
  let flushes = 0

  const heard = (): ReadonlyArray<Heard> => {
    const items = new Map<string, { responseId: string; itemId: string; millis: number }>()
    let left = time.played(now())
    for (const { frame, millis } of frames) {
      const played = Math.min(left, millis)
      if (played <= 0) break
      left -= played
      const item = items.get(frame.itemId) ?? { responseId: frame.responseId, itemId: frame.itemId, millis: 0 }
      item.millis += played
      items.set(frame.itemId, item)
    }
    return Array.from(items.values(), ({ millis, ...item }) => ({ ...item, heard: Duration.millis(millis) }))
  }

  // what was not played never will be
  const forgetUnplayed = () => {
    let left = time.flush(now())
    const played = frames.splice(0)
    for (const { frame, millis } of played) {
      if (left <= 0) break
      frames.push({ frame, millis: Math.min(left, millis) })
      left -= millis
    }
  }

  return {
    output: BidiOutput.speaker(
      name,
      Effect.succeed({
        play: (frame) => {
          const millis = Audio.millis(frame, frame.audio.length)
          time.append(millis, now())
          frames.push({ frame, millis })
        },
        flush: Effect.sync(() => {
          flushes++
          forgetUnplayed()
        }),
        played: () => Duration.millis(time.played(now())),
        pause: Effect.sync(() => time.pause(now())),
        resume: Effect.sync(() => time.resume(now()))
      })
    ),
    heard,
    played: () => Duration.millis(time.played(now())),
    flushes: () => flushes
  } satisfies VirtualSpeaker
})

/**
 * @category models
 */
export interface Recorder {
  readonly output: BidiOutput.BidiOutput
  /** Every event so far, in order. */
  readonly events: () => ReadonlyArray<Output>
}

/**
 * An output that keeps every event, audio included, and takes no time.
 *
 * @category constructors
 */
export const recorder = (name: string = "recorder"): Recorder => {
  const events: Array<Output> = []
  return {
    output: {
      name,
      events: allTags,
      open: Effect.succeed({
        offer: (event) => void events.push(event),
        flush: Effect.void,
        playback: "none",
        run: Effect.void,
        end: Effect.void
      })
    },
    events: () => events
  }
}
