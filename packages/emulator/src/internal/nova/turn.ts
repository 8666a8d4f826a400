/**
 * Turns of the assistant: decided, sent at their pace, confirmed as they are heard, and ended exactly once.
 */
import { isAudio } from "../session/frames.ts"
import { heardMs, heardOf, play as playAudio } from "../session/playback.ts"
import { makePlayer, TOLERANCE_MS } from "../session/player.ts"
import { faultOf } from "../session/frames.ts"
import { closeAudio, openAudio, sendAudio, sendText, sendToolUse } from "./blocks.ts"
import { framesOf } from "./frames.ts"
import type { Frame, Sentence } from "./frames.ts"
import { newTurn } from "./state.ts"
import type { ModelTurn } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

/** The text that reports an interruption. Clients look for exactly this. */
export const interruption = '{ "interrupted" : true }'

/** Asks for a reply. It starts when the user is not speaking and the previous turn is over. */
export const request = (step: Step): void => {
  step.set({ isWanted: true })
  settle(step)
}

/** Begins the turn that is due, if one is, and ends the completion when there will be none. */
export const settle = (step: Step): void => {
  const { armed, ended, hearing, isWanted, turn } = step.state
  if (ended || turn !== undefined) return
  if (!isWanted) return endCompletion(step)
  if (hearing.isSpeaking) return
  const id = step.id()
  step.set({ isWanted: false, armed: [], turn: newTurn(id, step.now + step.setup.latencyMs, armed) })
  player.think(step, id)
}

/** After the end of the prompt there are no more replies. */
const endCompletion = (step: Step): void => {
  const { hasCompletion, isCompletionOver, stage } = step.state
  if (stage !== "promptEnded" || isCompletionOver || !hasCompletion) return
  step.set({ isCompletionOver: true })
  step.send("completionEnd", { stopReason: "END_TURN" })
}

/** When the sentence will have been heard to its end. */
const heardAt = ({ playback }: ModelTurn, { endMs }: Sentence): number => playback.endsAt - playback.sentMs + endMs

const player = makePlayer<Step, Frame, ModelTurn>({
  active: ({ state: { turn } }) => (turn === undefined ? [] : [turn]),
  update: (step, _, change) => step.setTurn(change),
  promptOf: (step) => {
    const { entries, prompt } = step.state
    if (entries.some(({ isPending }) => isPending)) return undefined
    step.setTurn({ place: entries.length })
    const { toolChoice, tools } = prompt!
    const history = entries.map(({ turn }) => turn)
    return { history, tools, toolChoice, parallelCalls: true, instructions: undefined }
  },
  styleOf: ({ state: { prompt } }) => ({ speed: 1, voice: prompt!.voice }),
  framesOf: ({ setup: { chunkMs }, state: { maxTokens, prompt } }, { faults }, reply, speech) =>
    framesOf({ reply, speech, sampleRate: prompt!.sampleRate, maxTokens, chunkMs, faults }),
  play: (step, _, frame) => play(step, frame),
  end: (step, id, fault) => {
    if (fault?._tag === "FailResponse") return step.fail(fault.code ?? failure.type, fault.message ?? failure.message)
    step.setTurn({ stage: "playing" })
    player.advance(step, id)
  },
  fail: (step, _, message) => step.fail("internalServerException", message),
  wakeAt: (turn) => {
    const next = turn.sentences[turn.confirmed]
    const confirmAt =
      next === undefined || next.endMs > turn.playback.sentMs ? Number.POSITIVE_INFINITY : heardAt(turn, next)
    return turn.stage === "sending" ? Math.min(confirmAt, turn.dueAt) : confirmAt
  },
  beforeFrame: (step, { stage }) => {
    confirm(step)
    const { confirmed, sentences } = step.state.turn!
    if (stage !== "playing" || confirmed < sentences.length) return false
    end(step)
    return true
  }
})

export const { advance, onSpoken, onTranscribed, release } = player

const failure = {
  type: "modelStreamErrorException",
  message: "The system encountered an unexpected error during processing. Try your request again."
}

const play = (step: Step, frame: Frame): void => {
  const turn = step.state.turn!
  switch (frame._tag) {
    case "Open": {
      const { sentence } = frame
      step.count("output", Usage.ofText(sentence.text))
      sendText(step, "ASSISTANT", "SPECULATIVE", sentence.text, "PARTIAL_TURN")
      return step.setTurn({
        sentences: [...turn.sentences, sentence],
        audioId: openAudio(step),
        isAudioOpen: true
      })
    }
    case "Audio":
      step.setTurn({ playback: playAudio(turn.playback, step.now, frame.ms, step.isInstant) })
      step.count("output", Usage.ofSound(frame.ms))
      step.set({ wordAt: step.state.turn!.playback.endsAt })
      return sendAudio(step, turn.audioId, frame.bytes)
    case "Close":
      closeAudio(step, turn.audioId, frame.isLast ? "END_TURN" : "PARTIAL_TURN")
      step.setTurn({ isAudioOpen: false, sentences: cutToSound(turn) })
      return step.sendUsage()
    case "Calls":
      return call(step, frame)
  }
}

/** Shortens a sentence that was closed early to the words that start in the audio that was sent. */
const cutToSound = ({ playback, sentences }: ModelTurn): ReadonlyArray<Sentence> => {
  const last = sentences.at(-1)!
  if (last.endMs <= playback.sentMs) return sentences
  const words = last.words.filter(({ startMs }) => startMs < playback.sentMs)
  const text = words
    .map((word) => word.text)
    .join("")
    .trim()
  return [...sentences.slice(0, -1), { text, words, endMs: playback.sentMs }]
}

const call = (step: Step, { calls }: Extract<Frame, { readonly _tag: "Calls" }>): void => {
  for (const { arguments: args, name } of calls) {
    const id = step.id()
    const content = JSON.stringify(args)
    step.set({ calls: [...step.state.calls, { id, name, isAnswered: false }] })
    step.addToTurn({ key: id, turn: { role: "call", callId: id, name, arguments: content } })
    step.count("output", Usage.ofText(name + content))
    sendToolUse(step, id, name, content)
  }
  step.sendUsage()
}

const sayFinal = (step: Step, text: string, stop: "PARTIAL_TURN" | "END_TURN"): void => {
  if (text === "") return
  step.addToTurn({ key: step.id(), turn: { role: "assistant", text } })
  sendText(step, "ASSISTANT", "FINAL", text, stop)
}

/** Whether the turn is over after its last sentence. */
const endsWithSpeech = ({ frames }: ModelTurn): boolean =>
  frames.every((frame) => frame._tag !== "Calls" && (frame._tag !== "End" || frame.fault?._tag !== "FailResponse"))

/** Confirms the sentences that were heard. Only then are they part of the conversation. */
const confirm = (step: Step): void => {
  for (;;) {
    const turn = step.state.turn!
    const next = turn.sentences[turn.confirmed]
    const isClosed = turn.confirmed < turn.sentences.length - 1 || !turn.isAudioOpen
    if (next === undefined || !isClosed || next.endMs > heardMs(turn.playback, step.now) + TOLERANCE_MS) return
    step.setTurn({ confirmed: turn.confirmed + 1 })
    const isLast =
      endsWithSpeech(turn) && turn.confirmed + 1 === turn.frames.filter(({ _tag }) => _tag === "Open").length
    sayFinal(step, next.text, isLast ? "END_TURN" : "PARTIAL_TURN")
  }
}

const end = (step: Step): void => {
  step.set({ turn: undefined })
  step.sendUsage()
  settle(step)
}

/** Stops the turn where it is. Only what was heard of it is confirmed; tool calls are not cancelled. */
export const interrupt = (step: Step): void => {
  const { turn } = step.state
  if (turn === undefined) return
  step.do({ _tag: "Forget", key: turn.id })
  if (turn.sentences.length === 0) {
    // nothing of it was heard: it is decided again
    const faults = turn.next === 0 ? turn.faults : []
    return step.set({ turn: undefined, armed: [...faults, ...step.state.armed] })
  }
  confirm(step)
  if (turn.isAudioOpen) closeAudio(step, turn.audioId, "INTERRUPTED")
  const { confirmed, sentences } = step.state.turn!
  const begun = sentences[confirmed]
  const heard = begun === undefined ? [] : heardOf(begun.words, turn.playback, step.now)
  sayFinal(
    step,
    heard
      .map((word) => word.text)
      .join("")
      .trim(),
    "PARTIAL_TURN"
  )
  sendText(step, "ASSISTANT", "FINAL", interruption, "INTERRUPTED")
  step.set({ turn: undefined })
  step.sendUsage()
  const late = turn.frames.slice(turn.next).filter(isAudio)
  for (const { bytes } of late.slice(0, faultOf(turn.faults, "LateAudio")?.chunks ?? 0))
    sendAudio(step, turn.audioId, bytes)
}
