/**
 * A speaker without a device, which plays in the time of the clock.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Audio from "../../Audio.ts"
import type { AudioStream } from "../../BidiEvent.ts"
import * as BidiOutput from "../../BidiOutput.ts"
import { DeviceClock } from "../playback/deviceClock.ts"

export const make = Effect.fnUntraced(function* (name: string) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const time = new DeviceClock()
  const frames: Array<{ readonly frame: AudioStream; readonly millis: number }> = []
  let flushes = 0

  const heard = () => {
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

  // what was not played will never be
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
  }
})
