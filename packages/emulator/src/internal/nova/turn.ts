/**
 * Turns of the assistant: thought out, spoken at their pace, confirmed as they are heard, and ended once each.
 */
import type { Reply } from "../../Prompt.ts"
import type { Speech } from "../../Speech.ts"
import type { Input } from "../emulator/machine.ts"
import { think as decide, Thoughtless } from "../emulator/think.ts"
import { heardMs, heardOf, play as playSound } from "../voice/playback.ts"
import { beatsOf, isSound } from "./beats.ts"
import type { Beat, Sentence } from "./beats.ts"
import { closeAudio, openAudio, sendAudio, sendText, sendToolUse } from "./blocks.ts"
import { newTurn } from "./state.ts"
import type { ModelTurn } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

/** The text that says that the user has cut in; clients look for exactly this. */
export const interruption = '{ "interrupted" : true }'

/** Clocks have whole milliseconds, sound has not. */
const tick = 1

/** Asks for a reply; it comes when nobody is speaking and the one before is over. */
export const request = (step: Step): void => {
  step.set({ isWanted: true })
  settle(step)
}

/** Begins the turn that is due, if one is; ends the completion when there will be none. */
export const settle = (step: Step): void => {
  const { armed, ended, hearing, isWanted, turn } = step.state
  if (ended || turn !== undefined) return
  if (!isWanted) return endCompletion(step)
  if (hearing.isSpeaking) return
  step.set({ isWanted: false, armed: [], turn: newTurn(step.id(), step.now + step.setup.latencyMs, armed) })
  think(step)
}

/** After the prompt there is nothing to answer any more. */
const endCompletion = (step: Step): void => {
  const { hasCompletion, isCompletionOver, stage } = step.state
  if (stage !== "promptEnded" || isCompletionOver || !hasCompletion) return
  step.set({ isCompletionOver: true })
  step.send("completionEnd", { stopReason: "END_TURN" })
}

/** Makes up its mind, as soon as all that was said is understood. */
export const think = (step: Step): void => {
  const { entries, prompt, turn } = step.state
  if (turn?.stage !== "listening" || entries.some(({ isUnheard }) => isUnheard)) return
  const { toolChoice, tools, voice } = prompt!
  const history = entries.map((entry) => entry.turn)
  step.setTurn({ place: entries.length })
  const wish = { history, tools, toolChoice, parallelCalls: true, instructions: undefined }
  const reply = decide(step.setup.assistant, wish, turn.faults)
  if (reply instanceof Thoughtless) return step.fail("internalServerException", reply.message)
  if (reply.text === undefined) return run(step, reply, undefined)
  step.setTurn({ stage: "speaking", reply })
  step.do({ _tag: "Speak", key: turn.key, text: reply.text, style: { speed: 1, voice: voice } })
}

export const onSpoken = (step: Step, { key, speech }: Extract<Input, { _tag: "Spoken" }>): void => {
  const { turn } = step.state
  // it may have been interrupted while the voice was at work
  if (turn?.key === key && turn.stage === "speaking") run(step, turn.reply!, speech)
}

const run = (step: Step, reply: Reply, speech: Speech | undefined): void => {
  const { faults } = step.state.turn!
  const { sampleRate } = step.state.prompt!
  const { maxTokens } = step.state
  const beats = beatsOf({ reply, speech, sampleRate, maxTokens, deltaMs: step.setup.deltaMs, faults })
  step.setTurn({
    stage: "running",
    beats,
    at: 0,
    planned: beats.filter(({ _tag }) => _tag === "Open").length,
    endsWithThem: beats.every((beat) => beat._tag !== "Calls" && (beat._tag !== "Finish" || beat.failure === undefined))
  })
  wake(step)
}

/** When the sentence will have been heard to its end. */
const heardAt = ({ playback }: ModelTurn, { endMs }: Sentence): number => playback.endsAt - playback.sentMs + endMs

const wake = (step: Step): void => {
  const { isHeld, turn } = step.state
  if (turn === undefined || isHeld) return
  const next = turn.sentences[turn.told]
  const told = next === undefined || next.endMs > turn.playback.sentMs ? Number.POSITIVE_INFINITY : heardAt(turn, next)
  const due = turn.stage === "running" ? turn.dueAt : Number.POSITIVE_INFINITY
  step.do({ _tag: "Wake", key: turn.key, afterMs: Math.max(0, Math.min(told, due) - step.now) })
}

/** Goes on with a turn that was held. */
export const release = (step: Step): void => {
  step.set({ isHeld: false })
  const stage = step.state.turn?.stage
  if (stage === "running" || stage === "playing") wake(step)
}

/** Sends what is due: everything up to the next piece of sound, and that one. */
export const advance = (step: Step, key: string): void => {
  if (step.state.turn?.key !== key) return
  for (;;) {
    const { isHeld, turn } = step.state
    if (turn === undefined || isHeld) return
    confirm(step)
    if (turn.stage === "playing" && step.state.turn!.told === turn.sentences.length) return end(step)
    const beat = turn.stage === "running" && turn.dueAt <= step.now + tick ? turn.beats[turn.at] : undefined
    if (beat === undefined) return wake(step)
    step.setTurn({ at: turn.at + 1 })
    play(step, beat)
    if (isSound(beat)) step.setTurn({ dueAt: turn.dueAt + beat.ms / step.setup.speed })
    if (isSound(beat)) return wake(step)
  }
}

const play = (step: Step, beat: Beat): void => {
  const turn = step.state.turn!
  switch (beat._tag) {
    case "Open": {
      const { sentence } = beat
      step.count("output", Usage.ofText(sentence.text))
      sendText(step, "ASSISTANT", "SPECULATIVE", sentence.text, "PARTIAL_TURN")
      return step.setTurn({
        sentences: [...turn.sentences, sentence],
        audioId: openAudio(step),
        isAudioOpen: true
      })
    }
    case "Sound":
      step.setTurn({ playback: playSound(turn.playback, step.now, beat.ms, step.isInstant) })
      step.count("output", Usage.ofSound(beat.ms))
      step.set({ wordAt: step.state.turn!.playback.endsAt })
      return sendAudio(step, turn.audioId, beat.bytes)
    case "Close":
      closeAudio(step, turn.audioId, beat.isLast ? "END_TURN" : "PARTIAL_TURN")
      step.setTurn({ isAudioOpen: false, sentences: cutToSound(turn) })
      return step.tellUsage()
    case "Calls":
      return call(step, beat)
    case "Finish":
      if (beat.failure !== undefined) return step.fail(beat.failure.type, beat.failure.message)
      return step.setTurn({ stage: "playing" })
  }
}

/** A sentence that was closed before all of it was sent is only as long as its sound: the words that have begun in it. */
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

const call = (step: Step, { calls }: Extract<Beat, { readonly _tag: "Calls" }>): void => {
  for (const { arguments: args, name } of calls) {
    const id = step.id()
    const content = JSON.stringify(args)
    step.set({ calls: [...step.state.calls, { id, name, isAnswered: false }] })
    step.addToTurn({ key: id, turn: { role: "call", callId: id, name, arguments: content } })
    step.count("output", Usage.ofText(name + content))
    sendToolUse(step, id, name, content)
  }
  step.tellUsage()
}

const sayFinal = (step: Step, text: string, stop: "PARTIAL_TURN" | "END_TURN"): void => {
  if (text === "") return
  step.addToTurn({ key: step.id(), turn: { role: "assistant", text } })
  sendText(step, "ASSISTANT", "FINAL", text, stop)
}

/** Confirms the sentences that were heard: only now they are part of the talk. */
const confirm = (step: Step): void => {
  for (;;) {
    const turn = step.state.turn!
    const next = turn.sentences[turn.told]
    const isClosed = turn.told < turn.sentences.length - 1 || !turn.isAudioOpen
    if (next === undefined || !isClosed || next.endMs > heardMs(turn.playback, step.now) + tick) return
    step.setTurn({ told: turn.told + 1 })
    const isLast = turn.endsWithThem && turn.told + 1 === turn.planned
    sayFinal(step, next.text, isLast ? "END_TURN" : "PARTIAL_TURN")
  }
}

const end = (step: Step): void => {
  step.set({ turn: undefined })
  step.tellUsage()
  settle(step)
}

/** Stops the turn where it is; only what was heard of it is confirmed. Tools that it called are not called off. */
export const interrupt = (step: Step): void => {
  const { turn } = step.state
  if (turn === undefined) return
  step.do({ _tag: "Forget", key: turn.key })
  if (turn.sentences.length === 0) {
    // nobody has heard anything of it: it will be thought out anew
    const faults = turn.at === 0 ? turn.faults : []
    return step.set({ turn: undefined, armed: [...faults, ...step.state.armed] })
  }
  confirm(step)
  if (turn.isAudioOpen) closeAudio(step, turn.audioId, "INTERRUPTED")
  const { sentences, told } = step.state.turn!
  const begun = sentences[told]
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
  step.tellUsage()
  for (const fault of turn.faults) {
    if (fault._tag !== "LateAudio") continue
    const rest = turn.beats.slice(turn.at).filter(isSound)
    for (const { bytes } of rest.slice(0, fault.chunks)) sendAudio(step, turn.audioId, bytes)
  }
}
