/**
 * Laws of the wire that hold whatever a client does: random clients, checked event by event.
 */
import { cases } from "../../../../scripts/cases.ts"
import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { interruption } from "../../src/internal/nova/turn.ts"
import {
  Nova,
  audio,
  blocksIn,
  calculator,
  callsIn,
  clock,
  contentEnd,
  msIn,
  of,
  promptEnd,
  result,
  sessionEnd,
  tools,
  words
} from "../support/nova.ts"
import type { Json } from "../support/nova.ts"
import { quiet, tone } from "../support/sound.ts"

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const sayings = [
  "tell me a short story",
  "my name is Ada",
  "what time is it and calculate 2 times 3",
  "what time is it",
  "what did you just say"
]

const Act = Schema.TaggedUnion({
  Type: { saying: small(sayings.length - 1) },
  Speak: { loudMs: small(700), quietMs: small(2500) },
  Answer: { call: small(3) },
  Wake: { times: small(30) },
  Pass: { ms: small(3000) },
  Hold: {},
  Release: {},
  Cut: { pieces: small(20) }
})
type Act = typeof Act.Type

/** Calls that have no result yet. */
const open = (stream: Nova): ReadonlyArray<Json> =>
  callsIn(stream.events).filter(({ toolUseId }) =>
    stream.state.calls.some(({ id, isAnswered }) => id === toolUseId && !isAnswered)
  )

const perform = (stream: Nova, act: Act): void => {
  switch (act._tag) {
    case "Type":
      return void stream.send(...words(sayings[act.saying]!))
    case "Speak":
      return void stream.send(...audio(Pcm.concat([tone(act.loudMs, 8000, 16_000), quiet(act.quietMs, 16_000)])))
    case "Answer": {
      const calls = open(stream)
      if (calls.length > 0) stream.send(...result(calls[act.call % calls.length]!, { result: 5 }))
      return
    }
    case "Wake":
      for (let i = 0; i < act.times && stream.wake(10_000); i++);
      return
    case "Pass":
      return void stream.pass(act.ms)
    case "Hold":
      return stream.input({ _tag: "Hold" })
    case "Release":
      return stream.input({ _tag: "Release" })
    case "Cut":
      return stream.input({
        _tag: "Arm",
        fault: { _tag: "CutResponse", reason: "max_output_tokens", afterChunks: act.pieces }
      })
  }
}

const blocksAreWhole = (events: ReadonlyArray<Json>): void => {
  const begun = new Map<string, string>()
  const ended = new Set<string>()
  for (const { event = {} } of events) {
    const [type] = Object.keys(event)
    const { contentId, type: kind } = event[type!] ?? {}
    if (contentId === undefined) continue
    if (type === "contentStart") {
      assert.isFalse(begun.has(contentId), "a block twice")
      begun.set(contentId, kind)
      continue
    }
    assert.isTrue(begun.has(contentId) && !ended.has(contentId), `${type} outside of its block`)
    if (type !== "contentEnd") continue
    ended.add(contentId)
    assert.strictEqual(kind, begun.get(contentId))
  }
  assert.strictEqual(ended.size, begun.size, "a block without an end")
}

/** A turn is planned text and sound, and ends once: with its last word, with an interruption, or with calls. */
const turnsEndOnce = (events: ReadonlyArray<Json>): void => {
  let planned: Array<string> = []
  for (const { role, stage, stop, text, type } of blocksIn(events)) {
    if (type === "TOOL") assert.strictEqual(stop, "TOOL_USE")
    if (type !== "TEXT" || role !== "ASSISTANT") continue
    if (stage === "SPECULATIVE") planned.push(text)
    else if (text === interruption) {
      assert.strictEqual(stop, "INTERRUPTED")
      planned = []
    } else {
      const next = planned.shift()
      assert.isTrue(next?.startsWith(text), `"${text}" was not planned as "${next}"`)
      if (stop === "END_TURN") assert.deepStrictEqual(planned, [])
    }
  }
  assert.deepStrictEqual(planned, [], "something was planned and never confirmed")
}

const usageAddsUp = (events: ReadonlyArray<Json>): void => {
  const sum = (kinds: Json) => kinds.speechTokens + kinds.textTokens
  let [input, output] = [0, 0]
  for (const { details, totalInputTokens, totalOutputTokens, totalTokens } of of(events, "usageEvent")) {
    input += sum(details.delta.input)
    output += sum(details.delta.output)
    assert.deepStrictEqual([totalInputTokens, totalOutputTokens, totalTokens], [input, output, input + output])
    assert.deepStrictEqual([sum(details.total.input), sum(details.total.output)], [input, output])
  }
  assert.isAtMost(msIn(events) / 40, output + 1)
}

const theCompletionIsOne = (events: ReadonlyArray<Json>): void => {
  if (events.length === 0) return
  assert.deepStrictEqual(of(events, "completionStart").length, 1)
  assert.isDefined(events[0]!.event.completionStart)
  assert.isDefined(events.at(-1)!.event.completionEnd)
}

it.prop(
  "hold for any client",
  { isFast: Schema.Boolean, acts: Schema.Array(Act) },
  ({ acts, isFast }) => {
    const stream = new Nova({
      begin: tools(clock, calculator),
      speed: isFast ? Number.POSITIVE_INFINITY : 8,
      hear: (pcm) => (pcm.samples.length % 2 === 0 ? "my name is Ada" : ""),
      sessionMs: 1e9,
      inputMs: 1e9,
      silenceMs: 1e9
    })
    for (const act of acts) perform(stream, act)
    stream.input({ _tag: "Release" })
    stream.send(contentEnd("audio"))
    stream.settle()
    // every tool answers in the end, new ones that are called for it included
    for (let calls = open(stream); calls.length > 0; calls = open(stream)) {
      stream.send(...result(calls[0]!, { result: 5 }))
      stream.settle()
    }
    stream.send(promptEnd)
    for (const law of [blocksAreWhole, turnsEndOnce, usageAddsUp, theCompletionIsOne]) law(stream.events)
    stream.send(sessionEnd)
    assert.deepStrictEqual(stream.closes, [{ code: 0, reason: "sessionEnd" }])
  },
  cases(80, 60)
)

/** The laws are only worth something when random clients get far: most of what there is has to happen to some of them. */
it("random clients see most of the wire", () => {
  const stream = new Nova({ begin: tools(clock), speed: 8, hear: () => "my name is Ada" })
  const acts: ReadonlyArray<Act> = [
    { _tag: "Type", saying: 0 },
    { _tag: "Pass", ms: 3000 },
    { _tag: "Speak", loudMs: 300, quietMs: 2000 },
    { _tag: "Pass", ms: 3000 },
    { _tag: "Type", saying: 3 },
    { _tag: "Wake", times: 5 },
    { _tag: "Answer", call: 0 }
  ]
  for (const act of acts) perform(stream, act)
  stream.settle()
  const stops = new Set(blocksIn(stream.events).map(({ stop }) => stop))
  assert.deepStrictEqual([...stops].toSorted(), ["END_TURN", "INTERRUPTED", "PARTIAL_TURN", "TOOL_USE"])
})
