/**
 * A whole turn in one message, with every field that a message can have: a fault for clients that look at the first
 * field only.
 */
import type { Word } from "../../Speech.ts"
import { ofText, plus } from "../session/tokens.ts"
import { isAudio } from "../session/frames.ts"
import { isWaiting, makeCalls } from "./calls.ts"
import { issueHandle } from "./resumption.ts"
import { content, endOf, secondsOf, soundOf, thoughtOf, transcriptionOf } from "./messages.ts"
import type { Step } from "./step.ts"
import { ofSound, usageOf } from "./usage.ts"

/** Sends the turn that is about to start; `remember` records what was said. */
export const sendAsSingleMessage = (
  step: Step,
  remember: (words: ReadonlyArray<Word>) => void
): { readonly isBlocked: boolean } => {
  const { frames, used } = step.state.turn!
  const { family, isResumable } = step.settings
  const sounds = frames.filter(isAudio)
  const words = sounds.flatMap(({ words }) => words)
  const thought = frames.find((frame) => frame._tag === "Thought")
  const wishes = frames.flatMap((frame) => (frame._tag === "Calls" ? frame.calls : []))
  const said = step.state.conversation.entries.findLast(({ turn }) => turn.role === "user")?.turn
  const sound = soundOf(Buffer.concat(sounds.map(({ bytes }) => bytes)), family)
  remember(words)
  const calls = makeCalls(step, wishes)
  const isBlocked = calls.some(({ behavior }) => behavior === "BLOCKING")
  const functionCalls = calls.map(({ id, name }, i) => ({ name, args: wishes[i]!.arguments, id }))
  const spoken = ofSound(sounds.reduce((ms, audio) => ms + audio.ms, 0))
  step.setTurn({
    used: plus(plus(used, spoken), calls.length === 0 ? used : ofText(JSON.stringify(functionCalls))),
    thoughts: thought === undefined ? 0 : ofText(thought.text).text
  })
  step.send({
    ...content(
      { inputTranscription: transcriptionOf(said?.role === "user" ? said.text : "") },
      { outputTranscription: transcriptionOf(words.map(({ text }) => text).join("")) },
      sounds.length > 0 ? sound : thought === undefined ? {} : thoughtOf(thought.text),
      { groundingMetadata: { webSearchQueries: [] }, urlContextMetadata: { urlMetadata: [] } },
      isBlocked ? {} : { generationComplete: true, waitingForInput: true, ...endOf(family, isWaiting(step), undefined) }
    ),
    ...(calls.length === 0 ? {} : { toolCall: { functionCalls } }),
    toolCallCancellation: { ids: [] },
    voiceActivity: { type: "ACTIVITY_END" },
    voiceActivityDetectionSignal: { vadSignalType: "VAD_SIGNAL_TYPE_EOS" },
    sessionResumptionUpdate: isWaiting(step) || !isResumable ? {} : issueHandle(step),
    goAway: { timeLeft: secondsOf(step.state.endsAt - step.now) },
    usageMetadata: usageOf(step.state.turn!)
  })
  return { isBlocked }
}
