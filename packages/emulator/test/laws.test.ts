/**
 * Laws of the wire that hold whatever a client does: random clients, checked event by event.
 */
import { cases } from "../../../scripts/cases.ts"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import { Fold, calculator, clock, of, update, userText } from "./support/fold.ts"
import type { Event } from "./support/fold.ts"
import { appends, quiet, tone } from "./support/sound.ts"

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const sayings = [
  "tell me a story",
  "my name is Ada",
  "what time is it and calculate 2 times 3",
  "continue",
  "what did you just say",
  "",
  "hello there"
]

const Act = Schema.TaggedUnion({
  Say: { saying: small(sayings.length - 1) },
  Respond: { isText: Schema.Boolean, isAside: Schema.Boolean, most: small(3) },
  Cancel: {},
  Wake: { times: small(30) },
  Truncate: { item: small(20), ms: small(4000) },
  Delete: { item: small(20) },
  Insert: { item: small(20) },
  Speak: { loudMs: small(700), quietMs: small(700) },
  Commit: {},
  Clear: {},
  Detector: { on: Schema.Boolean, interrupts: Schema.Boolean },
  Answer: {},
  Hold: {},
  Release: {},
  Garbage: { text: Schema.String }
})
type Act = typeof Act.Type

const idsIn = (fold: Fold): ReadonlyArray<string> =>
  of(fold.events, "conversation.item.added").map(({ item }) => item.id as string)

const perform = (fold: Fold, act: Act): void => {
  const pick = (index: number): string => idsIn(fold).at(-1 - (index % Math.max(1, idsIn(fold).length))) ?? "item_none"
  switch (act._tag) {
    case "Say":
      return void fold.send(userText(sayings[act.saying]!))
    case "Respond": {
      const most = act.most === 0 ? { max_output_tokens: 30 } : {}
      const aside = act.isAside ? { conversation: "none" } : {}
      return void fold.send({
        type: "response.create",
        response: { ...(act.isText ? { output_modalities: ["text"] } : {}), ...aside, ...most }
      })
    }
    case "Cancel":
      return void fold.send({ type: "response.cancel" })
    case "Wake":
      for (let i = 0; i < act.times && fold.wake(10_000); i++);
      return
    case "Truncate":
      return void fold.send({
        type: "conversation.item.truncate",
        item_id: pick(act.item),
        content_index: 0,
        audio_end_ms: act.ms
      })
    case "Delete":
      return void fold.send({ type: "conversation.item.delete", item_id: pick(act.item) })
    case "Insert":
      return void fold.send({ ...userText("in between"), previous_item_id: pick(act.item) })
    case "Speak":
      return void fold.send(...appends(Pcm.concat([tone(act.loudMs), quiet(act.quietMs)])))
    case "Commit":
      return void fold.send({ type: "input_audio_buffer.commit" })
    case "Clear":
      return void fold.send({ type: "input_audio_buffer.clear" })
    case "Detector": {
      const detection = act.on ? { type: "server_vad", interrupt_response: act.interrupts } : null
      return void fold.send(update({ audio: { input: { turn_detection: detection } } }))
    }
    case "Answer": {
      const call = of(fold.events, "response.function_call_arguments.done").at(-1)
      return void fold.send({
        type: "conversation.item.create",
        item: { type: "function_call_output", call_id: call?.call_id ?? "call_none", output: "5" }
      })
    }
    case "Hold":
      return fold.input({ _tag: "Hold" })
    case "Release":
      return fold.input({ _tag: "Release" })
    case "Garbage":
      return void fold.send(act.text)
  }
}

const soundMs = (event: Event): number => Buffer.from(event.delta as string, "base64").length / 48
const joined = (events: ReadonlyArray<Event>, type: string, itemId: string): string =>
  of(events, type)
    .filter(({ item_id }) => item_id === itemId)
    .map(({ delta }) => delta as string)
    .join("")

const everyResponseEndsOnce = (events: ReadonlyArray<Event>): void => {
  const open = new Map<string, boolean>()
  const ended = new Set<string>()
  for (const { response, response_id, type } of events) {
    if (type === "response.created") {
      const isDefault = response.conversation_id !== null
      if (isDefault) assert.isFalse([...open.values()].includes(true), "two responses in the conversation")
      open.set(response.id, isDefault)
    } else if (type === "response.done") {
      assert.isTrue(open.delete(response.id))
      ended.add(response.id)
    } else if (typeof response_id === "string")
      assert.isTrue(open.has(response_id), `${type} of a response that is not open`)
  }
  assert.strictEqual(open.size, 0)
  assert.strictEqual(ended.size, of(events, "response.created").length)
}

const deltasAreWhatIsDone = (events: ReadonlyArray<Event>): void => {
  for (const event of of(events, "response.output_audio_transcript.done")) {
    assert.strictEqual(joined(events, "response.output_audio_transcript.delta", event.item_id), event.transcript)
  }
  for (const event of of(events, "response.output_text.done")) {
    assert.strictEqual(joined(events, "response.output_text.delta", event.item_id), event.text)
  }
  for (const event of of(events, "response.function_call_arguments.done")) {
    assert.strictEqual(joined(events, "response.function_call_arguments.delta", event.item_id), event.arguments)
  }
  for (const { response } of of(events, "response.done")) {
    for (const item of response.output) {
      const [last] = of(events, "response.output_item.done").filter((event) => event.item.id === item.id)
      assert.deepStrictEqual(last!.item, item)
      if (item.type === "function_call" && item.status === "completed") JSON.parse(item.arguments)
    }
  }
}

const soundIsAsLongAsTheVoice = (events: ReadonlyArray<Event>): void => {
  for (const { item } of of(events, "response.output_item.done")) {
    const transcript = item.content?.[0]?.transcript as string | undefined
    if (transcript === undefined) continue
    const ms = of(events, "response.output_audio.delta")
      .filter(({ item_id }) => item_id === item.id)
      .reduce((sum, event) => sum + soundMs(event), 0)
    const { pcm, words } = Effect.runSync(Voice.tones.speak(transcript, { speed: 1, voice: "marin" }))
    if (item.status === "completed") assert.strictEqual(ms, Pcm.durationMs(pcm))
    // what was cut has no word whose sound has not begun
    else assert.isAtLeast(ms, words.at(-1)?.startMs ?? 0)
  }
}

const itemsStandInLine = (events: ReadonlyArray<Event>): void => {
  const line: Array<string> = []
  const announced = new Map<string, string | null>()
  for (const { item, item_id, previous_item_id: previous, type } of events) {
    if (type === "conversation.item.added") {
      assert.isFalse(announced.has(item.id), "an item was added twice")
      announced.set(item.id, previous)
      assert.isTrue(previous === null || line.includes(previous), "an item behind none")
      line.splice(previous === null ? 0 : line.indexOf(previous) + 1, 0, item.id)
    } else if (type === "conversation.item.done") assert.strictEqual(announced.get(item.id), previous)
    else if (type === "conversation.item.deleted") line.splice(line.indexOf(item_id), 1)
    else if (type === "input_audio_buffer.committed") assert.strictEqual(previous, line.at(-1) ?? null)
  }
}

const nothingIsCutBeyondItsEnd = (events: ReadonlyArray<Event>): void => {
  const lengths = new Map<string, number>()
  const cuts = new Map<string, number>()
  for (const event of events) {
    if (event.type === "response.output_audio.delta") {
      lengths.set(event.item_id, (lengths.get(event.item_id) ?? 0) + soundMs(event))
    } else if (event.type === "conversation.item.truncated") {
      assert.isAtMost(
        event.audio_end_ms,
        Math.min(lengths.get(event.item_id) ?? 0, cuts.get(event.item_id) ?? Number.POSITIVE_INFINITY)
      )
      cuts.set(event.item_id, event.audio_end_ms)
    }
  }
}

const namesAreUnique = (events: ReadonlyArray<Event>): void => {
  const ids = events.map(({ event_id }) => event_id as string)
  assert.strictEqual(new Set(ids).size, ids.length)
}

const turnsAreSpokenInOrder = (events: ReadonlyArray<Event>): void => {
  let last = 0
  for (const { audio_end_ms, audio_start_ms, type } of events) {
    if (type === "input_audio_buffer.speech_started" || type === "input_audio_buffer.speech_stopped") {
      const at = (audio_start_ms ?? audio_end_ms) as number
      assert.isAtLeast(at, last)
      last = at
    }
  }
}

it.prop(
  "hold for any client",
  { acts: Schema.Array(Act), seed: small(1000) },
  ({ acts, seed }) => {
    const fold = new Fold({ seed, hear: (pcm) => (pcm.samples.length % 2 === 0 ? "my name is Ada" : "") })
    fold.send(update({ tools: [clock, calculator] }))
    for (const act of acts) perform(fold, act)
    fold.input({ _tag: "Release" })
    fold.pass()
    assert.isFalse(fold.hasReplies)
    for (const law of [
      everyResponseEndsOnce,
      deltasAreWhatIsDone,
      soundIsAsLongAsTheVoice,
      itemsStandInLine,
      nothingIsCutBeyondItsEnd,
      namesAreUnique,
      turnsAreSpokenInOrder
    ]) {
      law(fold.events)
    }
  },
  cases(60, 60)
)

/** The laws are only worth something when random clients get far: most of what there is has to happen to some of them. */
it("random clients see most of the wire", () => {
  const fold = new Fold()
  const acts: ReadonlyArray<Act> = [
    { _tag: "Say", saying: 2 },
    { _tag: "Respond", isText: false, isAside: false, most: 1 },
    { _tag: "Wake", times: 5 },
    { _tag: "Speak", loudMs: 300, quietMs: 700 },
    { _tag: "Wake", times: 5 },
    { _tag: "Truncate", item: 0, ms: 100 },
    { _tag: "Delete", item: 1 },
    { _tag: "Respond", isText: true, isAside: true, most: 0 }
  ]
  for (const act of acts) perform(fold, act)
  fold.pass()
  const seen = new Set(fold.events.map(({ type }) => type))
  for (const type of [
    "response.done",
    "conversation.item.truncated",
    "conversation.item.deleted",
    "input_audio_buffer.committed",
    "response.output_text.delta"
  ]) {
    assert.isTrue(seen.has(type), type)
  }
})
