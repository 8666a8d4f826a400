/**
 * Turns of the model: decided, sent at their pace, and ended exactly once.
 */
import { isAudio } from "../session/frames.ts"
import type { AudioFrame } from "../session/frames.ts"
import { heardOf, leftMs, play as playAudio } from "../session/playback.ts"
import { makePlayer } from "../session/player.ts"
import { faultOf } from "../session/frames.ts"
import { none, ofText, plus, sum } from "../session/tokens.ts"
import { cancelCalls, isWaiting, makeCalls } from "./calls.ts"
import { framesOf } from "./frames.ts"
import type { Frame } from "./frames.ts"
import { callPartsOf, content, doneOf, endOf, soundOf, thoughtOf, transcriptionOf, writtenOf } from "./messages.ts"
import { sendAsSingleMessage } from "./singleMessage.ts"
import { newTurn } from "./state.ts"
import type { ModelTurn } from "./state.ts"
import type { Step } from "./step.ts"
import { burstsIn, lateWordsOf } from "./transcript.ts"
import { ofSound, readOf, usageOf } from "./usage.ts"

/** Asks for a reply. It starts when the user is not speaking and the previous turn is over. */
export const request = (step: Step): void => {
  step.set({ isWanted: true })
  settle(step)
}

/** Begins the turn that is due, if one is. */
export const settle = (step: Step): void => {
  const { armed, ended, hearing, isSeeding, isWanted, turn } = step.state
  if (!isWanted || ended || turn !== undefined || hearing.isActive || isSeeding) return
  const id = step.id()
  step.set({ isWanted: false, armed: [], turn: newTurn(id, step.now + step.setup.latencyMs, armed) })
  player.think(step, id)
}

const player = makePlayer<Step, Frame, ModelTurn>({
  active: ({ state: { turn } }) => (turn === undefined ? [] : [turn]),
  update: (step, _, change) => step.setTurn(change),
  promptOf: (step, turn) => {
    const { entries } = step.state.conversation
    if (entries.some(({ isPending }) => isPending)) return undefined
    if (faultOf(turn.faults, "NoReply") !== undefined) {
      step.do({ _tag: "Forget", key: turn.id })
      step.set({ turn: undefined })
      settle(step)
      return undefined
    }
    step.setTurn({
      read: readOf(step.settings, entries),
      used: none,
      thoughts: 0,
      offsetMs: turn.playback.sentMs,
      place: entries.length
    })
    return {
      history: entries.map((entry) => entry.turn),
      tools: step.settings.functions,
      toolChoice: "auto",
      parallelCalls: true,
      instructions: undefined
    }
  },
  styleOf: ({ settings: { voice } }) => ({ speed: 1, voice }),
  framesOf: ({ settings: { hasThoughts }, setup: { chunkMs } }, turn, reply, speech) =>
    framesOf({ reply, speech, chunkMs, hasThoughts, faults: turn.faults }),
  play: (step, _, frame) => play(step, frame),
  end: (step, _, fault) => {
    if (fault?._tag === "FailResponse") return complete(step, fault.code ?? "RESPONSE_REJECTED")
    if (fault?._tag === "CutResponse" && fault.reason === "content_filter")
      return complete(step, "GENERATED_AUDIO_SAFETY")
    // the turn is over when the listener has heard it to the end
    step.send(content({ generationComplete: true }))
    step.setTurn({ stage: "playing" })
    if (leftMs(step.state.turn!.playback, step.now) === 0) return complete(step, undefined)
    player.wake(step, step.state.turn!.id)
  },
  fail: (step, _, message) => step.close(1011, `Internal error occurred. ${message}`),
  isOverLimit: ({ settings: { maxTokens } }, { used }) => sum(used) >= maxTokens,
  wakeAt: ({ dueAt, playback, stage }) => (stage === "playing" ? playback.endsAt : dueAt),
  beforeFrame: (step, turn) => {
    if (turn.stage === "playing") {
      complete(step, undefined)
      return true
    }
    step.setTurn({ hasBegun: true })
    step.setConversation({ hasSpoken: true })
    if (faultOf(turn.faults, "SingleMessage") === undefined) return false
    sendWhole(step)
    return true
  }
})

export const { advance, onSpoken, onTranscribed, release } = player

/** Records a chunk of audio that is being sent. Returns its words. */
const recordAudio = (step: Step, { ms, words }: AudioFrame): string => {
  const { offsetMs, playback, used, words: before } = step.state.turn!
  const text = words.map((word) => word.text).join("")
  step.setTurn({
    playback: playAudio(playback, step.now, ms, step.isInstant),
    words: [
      ...before,
      ...words.map(({ endMs, startMs, text }) => ({ text, startMs: startMs + offsetMs, endMs: endMs + offsetMs }))
    ],
    used: plus(used, ofSound(ms))
  })
  return text
}

const play = (step: Step, frame: Frame): void => {
  const { family, transcribesOutput } = step.settings
  switch (frame._tag) {
    case "Thought":
      step.setTurn({ thoughts: ofText(frame.text).text })
      return step.send(content(thoughtOf(frame.text)))
    case "Written":
      return step.send(content(writtenOf(frame.text)))
    case "Audio": {
      if (family.beginsEmpty && step.state.turn!.playback.sentMs === 0) step.send(content())
      const text = recordAudio(step, frame)
      const sound = soundOf(frame.bytes, family)
      if (text === "" || !transcribesOutput || lateWordsOf(step.state.turn!) !== "") return step.send(content(sound))
      if (faultOf(step.state.turn!.faults, "TranscriptBursts") !== undefined) {
        step.send(content(sound))
        for (const text of burstsIn(step.state.turn!))
          step.send(content({ outputTranscription: transcriptionOf(text) }))
        return
      }
      const transcription = { outputTranscription: transcriptionOf(text) }
      if (family.isTerse) return step.send(content(sound, transcription))
      step.send(content(sound))
      return step.send(content(transcription))
    }
    case "Calls": {
      remember(step, step.state.turn!.words)
      const calls = makeCalls(step, frame.calls)
      const isBlocked = calls.some(({ behavior }) => behavior === "BLOCKING")
      const functionCalls = calls.map(({ id, name }, i) => ({ name, args: frame.calls[i]!.arguments, id }))
      step.setTurn({ used: plus(step.state.turn!.used, ofText(JSON.stringify(functionCalls))) })
      const asParts = faultOf(step.state.turn!.faults, "CallsAsParts")
      if (asParts !== undefined) step.send(content(callPartsOf(functionCalls)))
      const told = asParts?.also === false ? {} : { toolCall: { functionCalls } }
      // the turn continues with the results; this is the usage so far
      const all = isBlocked ? { ...told, usageMetadata: usageOf(step.state.turn!) } : told
      if (Object.keys(all).length > 0) step.send(all)
      if (isBlocked) waitForFunctions(step)
      if (frame.isCancelled) interrupt(step, "all")
      return
    }
  }
}

const waitForFunctions = (step: Step): void => {
  const { faults } = step.state.turn!
  step.setTurn({
    stage: "blocked",
    read: { prompt: none, tools: none },
    used: none,
    thoughts: 0,
    // the other faults have happened
    faults: faults.filter(({ _tag }) => _tag === "LateAudio" || _tag === "AudioWithInterruption")
  })
}

const sendWhole = (step: Step): void => {
  const { isBlocked } = sendAsSingleMessage(step, (words) => remember(step, words))
  if (isBlocked) return waitForFunctions(step)
  step.set({ turn: undefined })
  settle(step)
}

/** The client has sent the results that the model waited for: it continues in the same turn. */
export const resume = (step: Step): void => {
  const { dueAt, id } = step.state.turn!
  if (step.settings.family.endsEmptyAfterAnswers) step.send(content({ turnComplete: true }))
  step.setTurn({ stage: "transcribing", dueAt: Math.max(dueAt, step.now + step.setup.latencyMs) })
  player.think(step, id)
}

/** Adds what was said, or as much of it as was heard, to the conversation. */
const remember = (step: Step, words: ReadonlyArray<{ readonly text: string; readonly endMs: number }>): void => {
  const text = words.map((word) => word.text).join("")
  step.setTurn({ words: [] })
  if (text === "") return
  const ms = words.at(-1)!.endMs - step.state.turn!.offsetMs
  step.addToTurn({ key: step.id(), turn: { role: "assistant", text }, tokens: ofSound(ms), isPending: false })
}

const complete = (step: Step, reason: string | undefined): void => {
  remember(step, step.state.turn!.words)
  end(step, reason)
  settle(step)
}

/** The only way in which a turn ends. */
const end = (step: Step, reason: string | undefined): void => {
  const turn = step.state.turn!
  step.set({ turn: undefined })
  step.do({ _tag: "Forget", key: turn.id })
  const usage = usageOf(turn)
  const background = faultOf(turn.faults, "Background")
  const ended = endOf(step.settings.family, background !== undefined || isWaiting(step), reason)
  step.send({ ...content(ended), ...(usage.totalTokenCount === 0 ? {} : { usageMetadata: usage }) })
  if (background !== undefined) step.send(doneOf(step.settings.family, background.where))
  const late = step.settings.transcribesOutput ? lateWordsOf(turn) : ""
  if (late !== "") step.send(content({ outputTranscription: transcriptionOf(late) }))
}

/** Stops the turn where it is and forgets what was not heard of it. Calls that it waited for are cancelled. */
export const interrupt = (step: Step, functions: "blocking" | "all" = "blocking"): void => {
  const { turn } = step.state
  if (turn === undefined) return
  if (!turn.hasBegun) {
    step.do({ _tag: "Forget", key: turn.id })
    return step.set({ turn: undefined, armed: [...turn.faults, ...step.state.armed] })
  }
  const { family } = step.settings
  cancelCalls(step, functions)
  remember(step, heardOf(turn.words, turn.playback, step.now))
  const rest = turn.frames.slice(turn.next).filter(isAudio)
  const extra = faultOf(turn.faults, "AudioWithInterruption") === undefined ? 0 : 1
  const sound = rest.slice(0, extra).map(({ bytes }) => soundOf(bytes, family))
  step.send(content({ interrupted: true }, ...sound))
  end(step, undefined)
  const late = rest.slice(0, faultOf(turn.faults, "LateAudio")?.chunks ?? 0)
  for (const { bytes } of late) step.send(content(soundOf(bytes, family)))
}
