/**
 * What the emulator sends, against frames of the service: the same fields, in the same order where order counts, and
 * nothing that the service's types do not know.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import type { ResponseFault } from "@effect-bidi/emulator/Fault"
import { Gemini, answer, audio, blockingClock, callsIn, clock, functions, text } from "../support/gemini.ts"
import type { Message, Options } from "../support/gemini.ts"
import { keysOf, recorded } from "../support/recorded.ts"
import { quiet, tone } from "../support/sound.ts"

const live31 = "gemini-3.1-flash-live-preview"
const native25 = "gemini-2.5-flash-native-audio-preview-12-2025"
const speech = audio(Pcm.concat([tone(800, 8000, 16_000), quiet(700, 16_000)]))
const hear = () => "And so, my friends, ask"

const talk = (options: Options, acts: (session: Gemini) => void, ...faults: ReadonlyArray<ResponseFault>) => {
  const session = new Gemini({ hear, ...options })
  for (const fault of faults) session.input({ _tag: "Arm", fault })
  acts(session)
  session.settle()
  return session
}
const say = (words: string) => (session: Gemini) => void session.send(text(words))
const speak = (session: Gemini) => void session.send(...speech)
const cutOff = (session: Gemini) => {
  session.send(text("tell me a story"))
  session.pass(500)
  session.send(...audio(tone(300, 8000, 16_000)))
}

/** Everything that the emulator does, in talks of one kind each. */
const talks = {
  ear: talk({ begin: { model: live31 } }, speak),
  turn: talk({}, say("my name is Ada")),
  terse: talk({ begin: { model: live31 } }, say("my name is Ada")),
  call: talk({ begin: { ...functions(clock), sessionResumption: {} } }, say("what time is it")),
  cut: talk({ speed: 8 }, cutOff),
  silent: talk({}, say("hello"), { _tag: "FailResponse", code: "NEED_MORE_INPUT", afterChunks: 0 }),
  rejected: talk({ begin: { model: live31 } }, say("hello"), { _tag: "FailResponse", afterChunks: 0 }),
  background: talk({}, say("my name is Ada"), { _tag: "Background", where: "inside" }),
  top: talk({}, say("my name is Ada"), { _tag: "Background", where: "top" }),
  parts: talk({ begin: functions(clock) }, say("what time is it"), { _tag: "CallsAsParts", also: true }),
  written: talk({}, say("my name is Ada"), { _tag: "WrittenText", instead: true }),
  burst: talk({}, speak, { _tag: "TranscriptBursts" }),
  thoughts: talk({ begin: { generationConfig: { thinkingConfig: { includeThoughts: true } } } }, say("hello")),
  allInOne: talk({}, say("my name is Ada"), { _tag: "SingleMessage" }),
  away: talk({ sessionMs: 60_000, goAwayMs: 50_000 }, (session) => void session.pass(10_000))
}
const sent: ReadonlyArray<Message> = Object.values(talks).flatMap(({ events }) => events)

// what goes into a tool is no field of the wire
const plain = (message: Message): Message =>
  message.toolCall === undefined
    ? message
    : {
        ...message,
        toolCall: { functionCalls: message.toolCall.functionCalls.map((call: Message) => ({ ...call, args: {} })) }
      }

/** All fields, also those within lists, in the order of the message. */
const fieldsOf = (value: unknown, path = ""): ReadonlyArray<string> => {
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => fieldsOf(one, `${path}[]`)))]
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === "" ? key : `${path}.${key}`
    return [at, ...fieldsOf(inner, at)]
  })
}

// What the service may add, by the types of the SDK (3.1.0): `LiveServerSetupComplete`, `Content`, `LiveServerContent`,
// `UsageMetadata` beside anything.
const optional =
  /^(setupComplete\.sessionId|serverContent\.modelTurn\.role|serverContent\.interactionStatus|usageMetadata.*)$/

const vertex = "vertex-usage" // another service, which is not emulated
const frames = recorded("gemini").flatMap(({ frame, scene }) =>
  frame === undefined || scene === vertex ? [] : [[scene, frame as Message] as const]
)

describe("the emulator sends what the service sends", () => {
  it.each(frames)("%s: %j", (_, frame) => {
    const wanted = fieldsOf(plain(frame))
    const same = sent.find(
      (message) =>
        fieldsOf(plain(message))
          .filter((field) => wanted.includes(field) || !optional.test(field))
          .join() === wanted.join()
    )
    assert.isDefined(same, `the emulator never sends ${wanted.join()}`)
  })

  it("with the values that are always the same", () => {
    const fixed = ["type", "mimeType", "interactionStatus", "turnCompleteReason", "resumable", "timeLeft"]
    const valuesOf = (value: unknown): ReadonlyArray<string> =>
      typeof value !== "object" || value === null
        ? []
        : Object.entries(value).flatMap(([key, inner]) =>
            fixed.includes(key) && typeof inner !== "object" ? [`${key} ${String(inner)}`] : valuesOf(inner)
          )
    const all = [...new Set(sent.flatMap(valuesOf))]
    for (const [, frame] of frames) assert.includeMembers(all, [...valuesOf(frame)])
  })

  it.each([
    ["an ear", "ear", ["voiceActivity", "interimInputTranscription", "inputTranscription"]],
    ["a turn", "turn", ["empty", "modelTurn", "outputTranscription", "generationComplete", "turnComplete"]],
    ["work in the background", "background", ["modelTurn", "turnComplete", "interactionStatus"]],
    ["what was cut off", "cut", ["modelTurn", "interrupted", "turnComplete"]]
  ] as const)("in the order of %s", (_, name, order) => {
    const kinds = talks[name].events.map((message) =>
      Object.keys({ ...message.serverContent, ...message, serverContent: undefined })
        .filter((key) => key !== "serverContent")
        .join()
    )
    let from = 0
    for (const kind of order) {
      const at = kinds.findIndex((one, i) => i >= from && (kind === "empty" ? one === "" : one.includes(kind)))
      assert.isAtLeast(at, 0, `${kind} does not come behind ${kinds.slice(0, from).join(" | ")}`)
      from = at + 1
    }
  })

  // The types of the SDK (3.1.0): `LiveServerMessage` and what it holds. `type` of `voiceActivity`, and a status at the top,
  // are what was measured.
  const known = new Set(
    [
      "setupComplete setupComplete.sessionId",
      "serverContent.modelTurn.role serverContent.modelTurn.parts serverContent.turnComplete",
      "serverContent.turnCompleteReason serverContent.interrupted serverContent.groundingMetadata",
      "serverContent.generationComplete serverContent.waitingForInput serverContent.interactionStatus",
      "serverContent.inputTranscription.text serverContent.interimInputTranscription.text",
      "serverContent.outputTranscription.text serverContent.urlContextMetadata",
      "toolCall.functionCalls toolCallCancellation.ids goAway.timeLeft interactionStatus",
      "voiceActivity.type voiceActivity.audioOffset voiceActivityDetectionSignal.vadSignalType",
      "sessionResumptionUpdate.newHandle sessionResumptionUpdate.resumable usageMetadata"
    ]
      .join(" ")
      .split(" ")
      .flatMap((path) => path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join(".")))
  )

  it("and nothing that it does not know", () => {
    const ours = new Set(sent.flatMap((message) => keysOf(plain(message))))
    const inside = /^(usageMetadata|serverContent\.groundingMetadata|serverContent\.urlContextMetadata)\./
    assert.deepStrictEqual(
      [...ours].filter((key) => !known.has(key) && !inside.test(key)),
      []
    )
  })
})

describe("the emulator ends as the service ends", () => {
  const told = new Map(recorded("gemini").flatMap(({ close, scene }) => (close === undefined ? [] : [[scene, close]])))

  it("for a key that is not good, a model that there is not, and the end of its time", () => {
    assert.deepStrictEqual(new Gemini({ isKeyGood: false }).closes, [told.get("key-wrong")!])
    const model = "gemini-2.0-flash-live-001"
    assert.deepStrictEqual(new Gemini({ hasModel: () => false, begin: { model } }).closes, [told.get("no-model")!])
    const late = new Gemini({ sessionMs: 60_000, goAwayMs: 50_000 })
    late.pass(60_000)
    assert.deepStrictEqual(late.closes, [told.get("away")!])
  })

  it("for sound while an older model waits for a function, and only then", () => {
    const [frame] = audio(quiet(100, 16_000))
    const waiting = (model: string) => {
      const session = new Gemini({ begin: { model, ...functions(blockingClock) } })
      const [call] = callsIn(session.ask("what time is it"))
      session.send(frame!)
      return { session, call: call! }
    }
    assert.deepStrictEqual(waiting(native25).session.closes, [told.get("not-implemented")!])
    assert.deepStrictEqual(waiting("gemini-3.8-live").session.closes, [])
    const patient = new Gemini({ begin: { model: native25, ...functions(blockingClock) } })
    const [call] = callsIn(patient.ask("what time is it"))
    patient.send(answer(call!, { output: "10:42" }), frame!)
    assert.deepStrictEqual(patient.closes, [])
  })

  it("when it fails, in words that begin as its own", () => {
    const broken = new Gemini({
      assistant: () => {
        throw new Error("no idea")
      }
    })
    broken.ask("hello")
    assert.strictEqual(broken.closes[0]?.code, told.get("internal")!.code)
    assert.isTrue(broken.closes[0]!.reason.startsWith(told.get("internal")!.reason))
  })
})

it("an older model ends an empty turn behind an answer, before it says anything to it", () => {
  const session = new Gemini({ begin: { model: native25, ...functions(clock) } })
  const [call] = callsIn(session.ask("what time is it"))
  const before = session.events.length
  session.send(answer(call!, { output: "10:42" }))
  session.settle()
  const [empty, ...rest] = session.events.slice(before).filter(({ serverContent }) => serverContent !== undefined)
  assert.deepStrictEqual(empty, { serverContent: { turnComplete: true } })
  assert.isTrue(rest.some(({ serverContent }) => serverContent.modelTurn !== undefined))
})

it("what is ignored is heard and told, and nothing else comes", () => {
  const { events } = talk({}, speak, { _tag: "NoReply" })
  assert.isTrue(events.some(({ serverContent }) => serverContent?.inputTranscription !== undefined))
  assert.isFalse(events.some(({ serverContent }) => serverContent?.turnComplete === true))
  assert.isTrue(
    talk({}, say("my name is Ada")).events.some(({ serverContent }) => serverContent?.turnComplete === true)
  )
})
