/**
 * What the decoder says of any frames, among them lost, repeated and wrong ones.
 *
 * 1. It never throws.
 * 2. A reply begins once and ends at most once; its sound and its words come in between, its interruption comes once.
 * 3. Every turn of the user has all its words said exactly once by the end of the connection, but for one whose words were
 *    still coming, and nothing after that; the pieces add up to them, and none is blank before there are words.
 * 4. When a reply has ended, the words of every turn before it have been said: those that never end hold nothing up.
 */
import { assert, describe, it } from "@effect/vitest"
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cases } from "../../../scripts/cases.ts"
import { recorded } from "../../emulator/test/support/recorded.ts"
import { type Inbound, parse } from "../src/internal/frame.ts"
import * as F from "./fixtures/frames.ts"
import * as P from "./support/protocol.ts"

const Word = Schema.Literals(["Hello", " there.", "Two three.", "", " ", "\n"])
const Scene = Schema.Struct({
  what: Schema.Literals(["user", "planned", "sound", "said", "reply", "cut", "call", "end", "recorded"]),
  /** Blocks have one of few names, so that they meet. */
  id: Schema.Literals(["a", "b", "c"]),
  words: Word,
  ends: Schema.Literals(["PARTIAL_TURN", "END_TURN", "INTERRUPTED"]),
  /** Which of its frames never come, and which come twice. */
  lost: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 }))),
  twice: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })))
})

const known = recorded("nova").flatMap(({ event }) =>
  event === undefined ? [] : [parse(Buffer.from(JSON.stringify({ event })))]
)

const framesOf = ({ ends, id, lost, twice, what, words }: typeof Scene.Type, n: number): ReadonlyArray<Inbound> => {
  const all = {
    user: () => F.block(id, "USER", "FINAL", words),
    planned: () => F.planned(id, words),
    sound: () => F.sound(id, ends),
    said: () => F.said(id, words, ends),
    reply: () => F.reply(id, words),
    cut: () => F.interrupted(id),
    call: () => F.toolUse(id, `call_${id}`, "look", "{}"),
    end: () => [F.completionEnd],
    recorded: () => [known[(n * 7 + words.length) % known.length]]
  }[what]()
  return all.flatMap((frame, i) => (lost.includes(i) ? [] : twice.includes(i) ? [frame, frame] : [frame]))
}

/** What is known of the talk after each event. */
class Talk {
  private readonly replies = new Map<string, "going" | "done">()
  private readonly interrupted = new Set<string>()
  private readonly turns = new Map<string, string>()
  private readonly said = new Set<string>()

  see(event: ModelEvent): void {
    switch (event._tag) {
      case "ResponseStarted":
        assert.isFalse(this.replies.has(event.responseId), "a reply began twice")
        return void this.replies.set(event.responseId, "going")
      case "ResponseDone":
        this.going(event.responseId)
        assert.strictEqual(this.said.size, this.answered(), "words of the user hold the end of a reply up")
        return void this.replies.set(event.responseId, "done")
      case "AudioDelta":
      case "ToolCalls":
        return this.going(event.responseId)
      case "Interrupted":
        assert.isTrue(this.replies.has(event.responseId), "a reply that never began was interrupted")
        assert.isFalse(this.interrupted.has(event.responseId), "a reply was interrupted twice")
        return void this.interrupted.add(event.responseId)
      case "UserTurn":
        assert.isFalse(this.turns.has(event.itemId), "a turn was taken twice")
        return void this.turns.set(event.itemId, "")
      case "TranscriptDelta":
      case "TranscriptDone":
        return event.role === "user" ? this.heard(event) : this.going(event.responseId!)
    }
  }

  end(isSpeaking: boolean): void {
    assert.strictEqual(this.said.size, this.turns.size - (isSpeaking ? 1 : 0), "a turn of the user has no end")
  }

  private heard(event: Extract<ModelEvent, { _tag: "TranscriptDelta" | "TranscriptDone" }>): void {
    const { itemId } = event
    assert.isTrue(this.turns.has(itemId), "words of no turn")
    assert.isFalse(this.said.has(itemId), "words after the last")
    if (event._tag === "TranscriptDelta") this.turns.set(itemId, this.turns.get(itemId)! + event.delta)
    else this.said.add(itemId)
    const words = this.turns.get(itemId)!
    if (event._tag === "TranscriptDone") return assert.strictEqual(event.text, words)
    assert.isTrue(words.trim() !== "", "a line of blanks")
  }

  private going(responseId: string): void {
    assert.strictEqual(this.replies.get(responseId), "going", "something of a reply that does not go on")
  }

  // the turn that is not answered yet is the last one
  private answered(): number {
    const last = [...this.turns.keys()].at(-1)
    return this.turns.size - (last !== undefined && !this.said.has(last) ? 1 : 0)
  }
}

describe("whatever frames come", () => {
  it.effect.prop(
    "replies and turns begin and end once, with all their words",
    [Schema.Array(Scene)],
    ([scenes]) =>
      Effect.sync(() => {
        const talk = new Talk()
        const state = P.start()
        for (const event of P.events(state, ...scenes.flatMap(framesOf))) talk.see(event)
        const isSpeaking = state.turn !== undefined && state.turn.open.size > 0
        for (const event of P.untilEnd(state)) talk.see(event)
        talk.end(isSpeaking)
      }),
    cases(500)
  )
})
