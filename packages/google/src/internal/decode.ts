/**
 * The provider's messages as events of the contract. A fold: the same messages over the same state give the same events.
 * One message may hold several things; they are taken in one order, whatever theirs on the wire.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import { callsIn, callsOf, forget } from "./toolCalls.ts"
import { type Fields, isFields, Malformed } from "@effect-bidi/core/adapter/Json"
import { fields, flag, type Inbound, list, text } from "./frame.ts"
import { millisOf } from "./errorBody.ts"
import { onAudio, onCalls, onIdle, onInterrupted, onReasoning, onReplyWords, onTurnComplete } from "./reply.ts"
import type { Events, State } from "./state.ts"
import { usageOf } from "./usage.ts"
import { onSpeech, onWords } from "./userTurn.ts"

/** Takes messages in the order of the wire. Never throws: what cannot be read is a `Problem`. */
export const receive = (state: State, messages: ReadonlyArray<Inbound>): Events => {
  const out: Events = []
  for (const message of messages) {
    if (message === undefined) problem(state, out, "a message of the provider is not a JSON object")
    else decode(state, message, out)
  }
  return out
}

const problem = (state: State, out: Events, what: string) => {
  out.push({ _tag: "Problem", error: state.errors.malformed(what) })
}

type Take = (state: State, value: Fields, out: Events, message: Fields) => void

const decode = (state: State, message: Fields, out: Events): void => {
  for (const [name, take] of parts) {
    // one part that cannot be read does not take the others with it
    try {
      const value = fields(message, name)
      if (value !== undefined) take(state, value, out, message)
    } catch (error) {
      const why = error instanceof Malformed ? error.message : "it is unlike anything known"
      problem(state, out, `a message of the provider cannot be read: ${name}: ${why}`)
    }
  }
  if (isDone(message)) onIdle(state, out)
  for (const key in message) if (!known.has(key)) unknown(key, message, out)
}

// all of the message: what is new in it may be about what is known
const unknown = (type: string, message: Fields, out: Events): void => {
  out.push({ _tag: "Unknown", type, raw: message as Schema.JsonObject })
}

// `REQUIRES_ACTION` is how `IDLE` was called before
const isDone = ({ interactionStatus }: Fields): boolean =>
  interactionStatus === "IDLE" || interactionStatus === "REQUIRES_ACTION"

const onResumption: Take = (_, update, out) => {
  const handle = text(update, "newHandle")
  out.push({ _tag: "Resumable", handle: flag(update, "resumable") && handle !== "" ? handle : undefined })
}

const onContent: Take = (state, content, out, message) => {
  const interrupted = flag(content, "interrupted")
  if (interrupted) onInterrupted(state, out)
  // `interimInputTranscription` is a guess that is taken back: there is no event for words that are
  const input = fields(content, "inputTranscription")
  if (input !== undefined) onWords(state, text(input, "text"), flag(input, "finished"), out)
  // what comes with the news that it was cut off is not heard any more
  if (!interrupted) {
    const output = fields(content, "outputTranscription")
    if (output !== undefined) onReplyWords(state, text(output, "text"), out)
    const turn = fields(content, "modelTurn")
    if (turn !== undefined) onTurn(state, turn, out)
  }
  // `generationComplete` says nothing: reasons, usage and a late word come with the end of the turn
  if (flag(content, "turnComplete")) {
    // it stands inside, or beside
    const busy = content.interactionStatus === "IN_PROGRESS" || message.interactionStatus === "IN_PROGRESS"
    onTurnComplete(state, text(content, "turnCompleteReason"), busy, out)
  }
  if (isDone(content)) onIdle(state, out)
  for (const key in content) if (!knownContent.has(key)) unknown(`serverContent.${key}`, message, out)
}

const onTurn = (state: State, turn: Fields, out: Events): void => {
  for (const part of list(turn, "parts")) if (isFields(part)) onPart(state, part, out)
  const raw = callsOf(turn)
  if (raw.length === 0) return
  const calls = callsIn(state, raw, true, out)
  if (calls.length > 0) onCalls(state, calls, out)
}

const onPart = (state: State, part: Fields, out: Events): void => {
  const data = fields(part, "inlineData")
  if (data !== undefined) {
    const type = text(data, "mimeType")
    if (!type.startsWith("audio/")) return
    if (type !== "audio/pcm;rate=24000" && !isOutput(type)) throw new Malformed(`audio of an unexpected kind (${type})`)
    const audio = Base64.decode(text(data, "data"))
    if (audio.length > 0) onAudio(state, audio, out)
  } else {
    // whether it is marked as a thought or not: what is said comes as sound, and its words as a transcription
    onReasoning(state, text(part, "text"), out)
  }
}

const isOutput = (type: string): boolean => /^audio\/pcm(;\s*rate=24000)?$/i.test(type)

const onToolCall: Take = (state, toolCall, out) => {
  const calls = callsIn(state, list(toolCall, "functionCalls"), false, out)
  if (calls.length > 0) onCalls(state, calls, out)
}

const onCancellation: Take = (state, cancellation, out) => {
  const ids = list(cancellation, "ids").filter((id) => typeof id === "string")
  for (const id of ids) {
    state.calls.delete(id)
    forget(state, id)
  }
  if (ids.length > 0) out.push({ _tag: "ToolCallsCancelled", ids })
}

// The wire says `type`; the SDK gives it another name on one of its paths.
const onActivity: Take = (state, { type: wire, voiceActivityType: type = wire }, out) => {
  if (type === "ACTIVITY_START" || type === "ACTIVITY_END") onSpeech(state, type === "ACTIVITY_START", out)
}

const onSignal: Take = (state, { vadSignalType: type }, out) => {
  if (type === "VAD_SIGNAL_TYPE_SOS" || type === "VAD_SIGNAL_TYPE_EOS")
    onSpeech(state, type === "VAD_SIGNAL_TYPE_SOS", out)
}

// It comes with the end of a turn, or behind it.
const onUsage: Take = (state, raw, out) => {
  const usage = usageOf(raw)
  const about = state.reply ?? state.last
  if (usage !== undefined) out.push(about === undefined ? usage : { ...usage, responseId: about.id })
}

/** What is left where the provider does not say it: enough to find a pause, and too little to wait long for one. */
const TIME_LEFT = 10_000

const onGoAway: Take = (state, { timeLeft }, out) => {
  state.expiring = true
  out.push({ _tag: "Expiring", timeLeft: Duration.millis(millisOf(timeLeft) ?? TIME_LEFT) })
}

const parts: ReadonlyArray<readonly [name: string, take: Take]> = [
  ["sessionResumptionUpdate", onResumption],
  ["serverContent", onContent],
  ["toolCall", onToolCall],
  ["toolCallCancellation", onCancellation],
  ["voiceActivity", onActivity],
  ["voiceActivityDetectionSignal", onSignal],
  ["usageMetadata", onUsage],
  ["goAway", onGoAway]
]

/** What is known, also of what nothing follows from. */
const known = new Set([...parts.map(([name]) => name), "setupComplete", "interactionStatus"])

const knownContent = new Set([
  "modelTurn",
  "turnComplete",
  "turnCompleteReason",
  "interactionStatus",
  "interrupted",
  "generationComplete",
  "waitingForInput",
  "inputTranscription",
  "interimInputTranscription",
  "outputTranscription",
  "groundingMetadata",
  "urlContextMetadata"
])
