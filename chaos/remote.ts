/**
 * A speaker somewhere else, and what it says of where it is.
 */
import { Audio, type BidiError, type BidiEvent, BidiOutput } from "@effect-bidi/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { Dice } from "./dice.ts"
import type { Reports } from "./plan.ts"

export const make = (how: Reports | undefined, seed: number) => {
  const dice = new Dice(seed)
  const got = new Map<string, number>()
  const reports = Effect.runSync(Queue.unbounded<BidiEvent.PlaybackReport>())

  const say = (itemId: string, millis: number) =>
    Queue.offerUnsafe(reports, { _tag: "PlaybackReport", itemId, played: Duration.millis(Math.max(0, millis)) })

  const onFrame = (frame: BidiEvent.AudioStream) => {
    const before = got.get(frame.itemId) ?? 0
    const all = before + Audio.millis(frame, frame.audio.length)
    got.set(frame.itemId, all)
    switch (how) {
      case "stop":
        if (got.size === 1) say(frame.itemId, before)
        return
      case "fall short":
        return say(frame.itemId, all - 1)
      case "lie":
        if (dice.happens(30)) say(dice.happens(80) ? frame.itemId : "item", dice.one([0, all / 2, all, 3_600_000]))
    }
  }

  return {
    output: BidiOutput.make("remote", {
      events: ["AudioStream"],
      handle: (frame) => Effect.sync(() => onFrame(frame))
    }),
    /** Sends the reports, for ever. */
    report: (send: (input: BidiEvent.PlaybackReport) => Effect.Effect<void, BidiError.BidiError>) =>
      Effect.forever(Effect.flatMap(Queue.take(reports), (report) => Effect.ignore(send(report))))
  }
}
