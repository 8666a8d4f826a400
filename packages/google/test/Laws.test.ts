/**
 * Laws of the protocol that hold whatever the provider sends, in whatever order: random talks, without a socket.
 */
import { assert, it } from "@effect/vitest"
import type { ModelEvent } from "@effect-bidi/core/BidiModel"
import * as Schema from "effect/Schema"
import { onOverdue } from "../src/internal/reply.ts"
import type { State } from "../src/internal/state.ts"
import * as M from "./fixtures/messages.ts"
import { events, hear, older, send, start } from "./support/protocol.ts"
import type { Json } from "./support/server.ts"

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const pieces = [
  "Hello",
  " there.",
  "How are you?",
  "For four.",
  " and",
  " more",
  "A table for four.",
  "A table for four."
]
const reasons = [undefined, "NEED_MORE_INPUT", "RESPONSE_REJECTED", "BLOCKLIST", "MALFORMED_FUNCTION_CALL"]
/** No word that is said has it. */
const MARK = "§"

const Act = Schema.TaggedUnion({
  // what the provider does
  Sound: {},
  Words: { piece: small(pieces.length - 1) },
  Heard: { piece: small(pieces.length - 1) },
  Text: { thought: Schema.Boolean },
  Call: {
    way: Schema.Literals(["message", "part", "part without id", "both", "both, one after the other", "message twice"])
  },
  TakeBack: {},
  Interrupt: {},
  End: { reason: small(reasons.length - 1), status: Schema.Literals(["none", "busy", "idle", "busy at the top"]) },
  Status: { where: Schema.Literals(["inside", "top"]) },
  Activity: { begins: Schema.Boolean, key: Schema.Literals(["type", "voiceActivityType"]) },
  Empty: {},
  // what is done here
  Ask: {},
  Speak: { seconds: small(2) },
  Answer: {},
  Wait: {}
})
type Act = typeof Act.Type

interface Talk {
  readonly state: State
  readonly seen: Array<ModelEvent>
  /** Calls that were made, by their ids on the wire; `undefined` are those without one. */
  readonly made: Array<string | undefined>
  readonly answers: Array<Json>
}

const take = (talk: Talk, ...messages: ReadonlyArray<Json>): void => {
  for (const message of messages) talk.seen.push(...events(talk.state, message))
}

const openCalls = ({ state }: Talk): ReadonlyArray<string> => [...state.calls]

const answer = (talk: Talk): void => {
  const [id] = openCalls(talk)
  if (id === undefined) return
  const outputs = [{ id, name: "weather", result: "sunny", isFailure: false }]
  const [message] = send(talk.state, { _tag: "ToolOutputs", outputs })
  talk.answers.push(message.toolResponse.functionResponses[0])
}

const call = (talk: Talk, way: Extract<Act, { _tag: "Call" }>["way"]): void => {
  const id = `call_${talk.made.length}`
  // no two calls are alike: which is which is the question
  const plain = { name: "weather", args: { n: talk.made.length } }
  const message = M.toolCall({ id, ...plain })
  const part = M.speech({ functionCall: way === "part without id" ? plain : { id, ...plain } })
  talk.made.push(way === "part without id" ? undefined : id)
  if (way === "message") take(talk, message)
  else if (way === "message twice") take(talk, message, message)
  else if (way === "both") take(talk, { ...part, ...message })
  else if (way === "both, one after the other") take(talk, part, message)
  else take(talk, part)
}

const status = (kind: Extract<Act, { _tag: "End" }>["status"]) =>
  kind === "busy" ? { interactionStatus: "IN_PROGRESS" } : kind === "idle" ? { interactionStatus: "IDLE" } : {}

const overdue = ({ seen, state }: Talk): void => onOverdue(state, 10_000, false, seen)

const perform = (talk: Talk, act: Act): void => {
  switch (act._tag) {
    case "Sound":
      return take(talk, M.speech())
    case "Words":
      return take(talk, M.words(pieces[act.piece]!))
    case "Heard":
      return take(talk, M.heard(pieces[act.piece]!))
    case "Text":
      return take(talk, M.speech({ text: MARK, ...(act.thought ? { thought: true } : {}) }))
    case "Call":
      return call(talk, act.way)
    case "TakeBack":
      return take(talk, M.cancellation(...openCalls(talk).slice(0, 1)))
    case "Interrupt":
      return take(talk, M.interrupted())
    case "End":
      return take(talk, {
        ...M.turnComplete(reasons[act.reason], status(act.status)),
        ...(act.status === "busy at the top" ? { interactionStatus: "IN_PROGRESS" } : {})
      })
    case "Status":
      return take(talk, act.where === "top" ? { interactionStatus: "IDLE" } : M.content({ interactionStatus: "IDLE" }))
    case "Activity":
      return take(talk, {
        serverContent: {},
        voiceActivity: { [act.key]: act.begins ? "ACTIVITY_START" : "ACTIVITY_END" }
      })
    case "Empty":
      return take(talk, M.content({}))
    case "Ask":
      return void send(talk.state, { _tag: "UserMessage", id: "m", parts: ["Hi"] })
    case "Speak":
      return hear(talk.state, act.seconds)
    case "Answer":
      return answer(talk)
    case "Wait":
      return overdue(talk)
  }
}

const run = (isOlder: boolean, acts: ReadonlyArray<Act>): Talk => {
  const talk: Talk = { state: start(isOlder ? older : {}), seen: [], made: [], answers: [] }
  for (const act of acts) perform(talk, act)
  // every tool answers, the model says that this was all, and then a last word
  while (openCalls(talk).length > 0) answer(talk)
  take(talk, M.turnComplete(undefined, status("busy")), { interactionStatus: "IDLE" })
  take(talk, M.speech(), M.turnComplete())
  // of which a word may be late
  take(talk, M.words(" at last"))
  overdue(talk)
  return talk
}

const of = <Tag extends ModelEvent["_tag"]>({ seen }: Talk, tag: Tag) =>
  seen.filter((event): event is Extract<ModelEvent, { readonly _tag: Tag }> => event._tag === tag)

// ---------------------------------------------------------------------------------------------------------------------

const repliesBeginAndEndOnce = ({ seen }: Talk): void => {
  const open = new Set<string>()
  const over = new Set<string>()
  for (const event of seen) {
    if (!("responseId" in event) || event.responseId === undefined) continue
    const id = event.responseId
    if (event._tag === "ResponseStarted") {
      assert.isFalse(open.has(id) || over.has(id), "a reply begins twice")
      open.add(id)
    } else if (event._tag === "ResponseDone") {
      assert.isTrue(open.delete(id), "a reply ends that has not begun")
      over.add(id)
    } else if (event._tag !== "Interrupted") assert.isTrue(open.has(id), `${event._tag} outside of its reply`)
  }
  assert.deepStrictEqual([...open], [], "a reply without an end")
}

const silenceIsNoSuccess = (talk: Talk): void => {
  const heard = new Set(
    talk.seen.flatMap((event) =>
      event._tag === "AudioDelta" || (event._tag === "TranscriptDelta" && event.role === "assistant")
        ? [event.responseId]
        : []
    )
  )
  for (const done of of(talk, "ResponseDone")) {
    if (done.stopReason === "complete") assert.isTrue(heard.has(done.responseId), "silence is told as a reply")
    if (done.stopReason === "error") assert.isDefined(done.error, "nobody says what was wrong")
  }
}

const wordsAddUp = (talk: Talk): void => {
  const deltas = new Map<string, string>()
  for (const event of talk.seen) {
    if (event._tag === "TranscriptDelta") deltas.set(event.itemId, (deltas.get(event.itemId) ?? "") + event.delta)
    else if (event._tag === "TranscriptDone") {
      const sum = deltas.get(event.itemId) ?? ""
      assert.isTrue(
        event.text.startsWith(sum),
        `${JSON.stringify(sum)} does not add up to ${JSON.stringify(event.text)}`
      )
      deltas.set(event.itemId, event.text)
    }
  }
  for (const text of deltas.values()) {
    assert.notInclude(text, MARK, "what it thinks is told as said")
    assert.notMatch(text, /[.?!]\p{Lu}/u, "words are glued")
    assert.notInclude(text, "A table for four.A table for four.", "words are doubled")
  }
}

const callsAreToldOnceAndAnsweredByTheirIds = (talk: Talk): void => {
  const told = of(talk, "ToolCalls").flatMap(({ calls }) => calls)
  assert.deepStrictEqual(
    told.map(({ arguments: args }) => args),
    talk.made.map((_, n) => JSON.stringify({ n }))
  )
  for (const { id } of talk.answers) if (id !== undefined) assert.include(talk.made, id, "an answer to nobody")
  const taken = of(talk, "ToolCallsCancelled").flatMap(({ ids }) => ids)
  assert.strictEqual(talk.answers.length + taken.length, talk.made.length, "a call without an answer, or with two")
}

const nothingIsLeft = ({ state }: Talk): void => {
  assert.isUndefined(state.reply, "a reply is held for ever")
  assert.isUndefined(state.owed, "a reply is waited for")
  assert.isFalse(state.speaking, "the user speaks for ever")
}

const speechAlternates = ({ seen }: Talk): void => {
  let speaking = false
  for (const event of seen) {
    if (event._tag !== "SpeechStarted" && event._tag !== "SpeechStopped") continue
    assert.notStrictEqual(event._tag === "SpeechStarted", speaking)
    speaking = !speaking
  }
}

const nothingIsUnreadOrUnknown = (talk: Talk): void => {
  assert.deepStrictEqual(of(talk, "Unknown"), [])
  for (const { error } of of(talk, "Problem")) assert.notStrictEqual(error.reason.code, "malformed_message")
}

it.prop(
  "hold for any provider",
  { isOlder: Schema.Boolean, acts: Schema.Array(Act) },
  ({ acts, isOlder }) => {
    const talk = run(isOlder, acts)
    for (const law of [
      repliesBeginAndEndOnce,
      silenceIsNoSuccess,
      wordsAddUp,
      callsAreToldOnceAndAnsweredByTheirIds,
      nothingIsLeft,
      speechAlternates,
      nothingIsUnreadOrUnknown
    ]) {
      law(talk)
    }
  },
  { arbitrary: { runs: Number(process.env.GEMINI_RUNS ?? 2000), size: 60 }, timeout: 120_000 }
)
