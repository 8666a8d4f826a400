/**
 * Laws of the wire that hold whatever a client does: random clients, checked message by message.
 */
import { cases } from "../../../../scripts/cases.ts"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import * as Voice from "@effect-bidi/emulator/Voice"
import {
  Gemini,
  Vault,
  answer,
  at,
  audio,
  blockingClock,
  calculator,
  callsIn,
  contents,
  functions,
  msIn,
  saidIn,
  setupOf,
  text,
  updatesIn
} from "../support/gemini.ts"
import type { Message } from "../support/gemini.ts"
import { quiet, tone } from "../support/sound.ts"

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const sayings = [
  "tell me a short story",
  "my name is Ada",
  "what time is it and calculate 2 times 3",
  "calculate 2 times 3",
  "what time is it",
  "what did you just say"
]

const Act = Schema.TaggedUnion({
  Type: { saying: small(sayings.length - 1) },
  Write: { saying: small(sayings.length - 1), isComplete: Schema.Boolean },
  Speak: { loudMs: small(700), quietMs: small(700) },
  Mute: {},
  Answer: { call: small(5), scheduling: Schema.Literals(["SILENT", "WHEN_IDLE", "INTERRUPT"]) },
  Wake: { times: small(30) },
  Hold: {},
  Release: {},
  Fail: { pieces: small(5) },
  Cut: { pieces: small(5) }
})
type Act = typeof Act.Type

const Begin = Schema.Struct({
  model: Schema.Literals(["gemini-3.8-live", "gemini-2.5-flash-native-audio-preview-12-2025"]),
  activityHandling: Schema.Literals(["START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"]),
  isFast: Schema.Boolean,
  hasThoughts: Schema.Boolean
})

const perform = (session: Gemini, act: Act): void => {
  switch (act._tag) {
    case "Type":
      return void session.send(text(sayings[act.saying]!))
    case "Write":
      return void session.send(contents(act.isComplete, ["user", sayings[act.saying]!]))
    case "Speak":
      // it would be the end of the connection
      if (session.state.settings?.family.isDeafWhileBlocked === true && isWaiting(session)) return
      return void session.send(...audio(Pcm.concat([tone(act.loudMs, 8000, 16_000), quiet(act.quietMs, 16_000)])))
    case "Mute":
      return void session.send({ realtimeInput: { audioStreamEnd: true } })
    case "Answer": {
      const calls = callsIn(session.events)
      const call = calls.at(-1 - (act.call % Math.max(1, calls.length)))
      if (call !== undefined) session.send(answer(call, { output: "5" }, { scheduling: act.scheduling }))
      return
    }
    case "Wake":
      for (let i = 0; i < act.times && session.wake(10_000); i++);
      return
    case "Hold":
      return session.input({ _tag: "Hold" })
    case "Release":
      return session.input({ _tag: "Release" })
    case "Fail":
      return session.input({ _tag: "Arm", fault: { _tag: "FailResponse", afterChunks: act.pieces } })
    case "Cut":
      return session.input({
        _tag: "Arm",
        fault: { _tag: "CutResponse", reason: "max_output_tokens", afterChunks: act.pieces }
      })
  }
}

const isWaiting = ({ state }: Gemini): boolean =>
  state.conversation.calls.some(({ behavior, status }) => status === "waiting" && behavior === "BLOCKING")

/** Messages of each turn of the model, its end included; what nobody's turn is is left out. */
const turnsIn = (events: ReadonlyArray<Message>): ReadonlyArray<ReadonlyArray<Message>> => {
  const turns: Array<ReadonlyArray<Message>> = []
  let open: Array<Message> = []
  for (const message of events) {
    const content = message.serverContent ?? {}
    const isTurn =
      message.toolCall !== undefined ||
      ["modelTurn", "outputTranscription", "generationComplete", "interrupted", "turnComplete"].some(
        (key) => key in content
      )
    if (isTurn) open.push(message)
    if (content.turnComplete === true) {
      turns.push(open)
      open = []
    }
  }
  assert.deepStrictEqual(open, [], "a turn without an end")
  return turns
}

const turnsEndOnceAndInOrder = (events: ReadonlyArray<Message>): void => {
  for (const turn of turnsIn(events)) {
    const marks = turn.flatMap(({ serverContent }) =>
      ["generationComplete", "interrupted", "turnComplete"].filter((key) => serverContent?.[key] === true)
    )
    assert.include(
      [
        "generationComplete turnComplete",
        "interrupted turnComplete",
        "generationComplete interrupted turnComplete",
        "turnComplete"
      ],
      marks.join(" ")
    )
    const generated = turn.findIndex(({ serverContent }) => serverContent?.generationComplete === true)
    if (generated >= 0) assert.strictEqual(msIn(turn.slice(generated)), 0, "sound after the last of it")
    const last = turn.at(-1)!.serverContent
    // but for the empty end behind the answers of functions
    const isCall = turn.some(({ toolCall }) => toolCall !== undefined)
    if (marks.length === 1 && !isCall) assert.isString(last.turnCompleteReason, "nobody says why it ended")
  }
}

const soundIsWhatIsSaid = (events: ReadonlyArray<Message>): void => {
  for (const turn of turnsIn(events)) {
    const said = saidIn(turn)
    const { pcm, words } = Effect.runSync(Voice.tones.speak(said, { speed: 1, voice: "Puck" }))
    const isWhole =
      turn.length > 1 &&
      !turn.some(
        ({ serverContent, toolCall }) =>
          toolCall !== undefined || serverContent?.interrupted || serverContent?.turnCompleteReason
      )
    // of what was cut no word is told whose sound has not begun
    assert.isAtLeast(msIn(turn), words.at(-1)?.startMs ?? 0)
    if (isWhole && said.endsWith(".")) assert.isAtMost(msIn(turn), Pcm.durationMs(pcm) + 1)
  }
}

const usageAddsUp = (events: ReadonlyArray<Message>): void => {
  for (const usage of at(events, "usageMetadata")) {
    const sum = (name: string) =>
      (usage[`${name}TokensDetails`] ?? []).reduce((all: number, { tokenCount }: Message) => all + tokenCount, 0)
    for (const name of ["prompt", "response", "toolUsePrompt"]) {
      assert.strictEqual(sum(name), usage[`${name}TokenCount`] ?? 0, name)
    }
    assert.strictEqual(
      usage.totalTokenCount,
      usage.promptTokenCount +
        usage.responseTokenCount +
        (usage.toolUsePromptTokenCount ?? 0) +
        (usage.thoughtsTokenCount ?? 0)
    )
  }
}

const callsAreTakenBackOnce = (events: ReadonlyArray<Message>): void => {
  const open = new Set<string>()
  const all = new Set<string>()
  for (const message of events) {
    for (const call of message.toolCall?.functionCalls ?? []) {
      assert.isFalse(all.has(call.id), "a call id twice")
      all.add(call.id)
      if (call.name === "current_time") open.add(call.id)
    }
    for (const id of message.toolCallCancellation?.ids ?? []) assert.isTrue(open.delete(id), "a call taken back")
  }
}

const resumabilityAlternates = (events: ReadonlyArray<Message>): void => {
  let isResumable: boolean | undefined
  for (const update of updatesIn(events)) {
    if (!update.resumable) assert.strictEqual(isResumable, true, "not now, said twice")
    assert.strictEqual(update.resumable, update.newHandle === undefined ? undefined : true)
    isResumable = update.resumable === true
  }
  assert.strictEqual(isResumable, true)
}

const run = (begin: typeof Begin.Type, acts: ReadonlyArray<Act>, vault: Vault) => {
  const session = new Gemini({
    vault,
    speed: begin.isFast ? Number.POSITIVE_INFINITY : 8,
    hear: (pcm) => (pcm.samples.length % 2 === 0 ? "my name is Ada" : ""),
    begin: {
      model: begin.model,
      ...functions(blockingClock, { ...calculator, behavior: "NON_BLOCKING" }),
      generationConfig: { thinkingConfig: { includeThoughts: begin.hasThoughts } },
      realtimeInputConfig: { activityHandling: begin.activityHandling },
      sessionResumption: {}
    },
    sessionMs: 1e9,
    uncompressedMs: 1e9
  })
  for (const act of acts) perform(session, act)
  session.input({ _tag: "Release" })
  session.send({ realtimeInput: { audioStreamEnd: true } })
  session.settle()
  // every function answers in the end, new ones that are called for it included
  for (let i = 0; i < callsIn(session.events).length; i++) {
    session.send(answer(callsIn(session.events)[i]!, { output: "5" }))
    session.settle()
  }
  return session
}

it.prop(
  "hold for any client",
  { begin: Begin, acts: Schema.Array(Act) },
  ({ acts, begin }) => {
    const vault = new Vault()
    const session = run(begin, acts, vault)
    assert.deepStrictEqual(session.closes, [])
    for (const law of [
      turnsEndOnceAndInOrder,
      soundIsWhatIsSaid,
      usageAddsUp,
      callsAreTakenBackOnce,
      resumabilityAlternates
    ]) {
      law(session.events)
    }
    // the last handle brings back everything
    const { newHandle: handle } = updatesIn(session.events).at(-1)!
    const again = new Gemini({ begin: null, vault })
    again.send(setupOf({ model: begin.model, sessionResumption: { handle } }))
    assert.deepStrictEqual(again.state.conversation, session.state.conversation)
  },
  cases(80, 60)
)

/** The laws are only worth something when random clients get far: most of what there is has to happen to some of them. */
it("random clients see most of the wire", () => {
  const acts: ReadonlyArray<Act> = [
    { _tag: "Type", saying: 2 },
    { _tag: "Wake", times: 5 },
    { _tag: "Speak", loudMs: 300, quietMs: 700 },
    { _tag: "Wake", times: 5 },
    { _tag: "Fail", pieces: 1 },
    { _tag: "Write", saying: 0, isComplete: true },
    { _tag: "Wake", times: 30 },
    { _tag: "Type", saying: 4 }
  ]
  const begin = {
    model: "gemini-3.8-live",
    activityHandling: "START_OF_ACTIVITY_INTERRUPTS",
    isFast: false,
    hasThoughts: true
  } as const
  const { events } = run(begin, acts, new Vault())
  assert.isAbove(at(events, "toolCallCancellation").length, 0)
  assert.isAbove(at(events, "serverContent", "interrupted").length, 0)
  assert.isAbove(at(events, "serverContent", "turnCompleteReason").length, 0)
  assert.isAbove(at(events, "serverContent", "generationComplete").length, 0)
  assert.isAbove(callsIn(events).length, 1)
})
