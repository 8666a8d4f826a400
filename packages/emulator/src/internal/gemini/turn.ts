/**
 * Turns of the model: thought out, spoken at their pace, and ended one way or another, once each.
 */
import type { Reply } from "../../Prompt.ts"
import type { ResponseFault } from "../../Fault.ts"
import type { Speech } from "../../Speech.ts"
import { none, ofText, plus, sum } from "../emulator/tokens.ts"
import type { Input } from "../emulator/machine.ts"
import { think as decide, Thoughtless } from "../emulator/think.ts"
import { heardOf, leftMs, play as playSound } from "../voice/playback.ts"
import { sendAllInOne } from "./allInOne.ts"
import { beatsOf, isSound } from "./beats.ts"
import type { Beat } from "./beats.ts"
import { cancelCalls, isWaiting, makeCalls } from "./calls.ts"
import { burstsOf, callPartsOf, content, doneOf, endOf, soundOf, thoughtOf, transcriptionOf, writtenOf } from "./say.ts"
import { newTurn } from "./state.ts"
import type { ModelTurn } from "./state.ts"
import type { Step } from "./step.ts"
import { ofSound, readOf, usageOf } from "./usage.ts"

const has = (faults: ReadonlyArray<ResponseFault>, tag: ResponseFault["_tag"]): boolean =>
  faults.some(({ _tag }) => _tag === tag)

/** Asks for a reply; it comes when nobody is speaking and the one before is over. */
export const request = (step: Step): void => {
  step.set({ isWanted: true })
  settle(step)
}

/** Begins the turn that is due, if one is. */
export const settle = (step: Step): void => {
  const { armed, ended, hearing, isSeeding, isWanted, turn } = step.state
  if (!isWanted || ended || turn !== undefined || hearing.isActive || isSeeding) return
  const key = step.id()
  step.set({ isWanted: false, armed: [], turn: newTurn(key, step.now + step.setup.latencyMs, armed) })
  think(step)
}

/** What was asked is not answered, and nobody is told. */
const ignore = (step: Step, key: string): void => {
  step.do({ _tag: "Forget", key })
  step.set({ turn: undefined })
  settle(step)
}

/** Makes up its mind, as soon as all that was said is understood. */
export const think = (step: Step): void => {
  const { conversation, turn } = step.state
  if (turn?.stage !== "listening" || conversation.entries.some(({ isUnheard }) => isUnheard)) return
  if (has(turn.faults, "NoReply")) return ignore(step, turn.key)
  const { functions, voice } = step.settings
  step.setTurn({
    read: readOf(step.settings, conversation.entries),
    used: none,
    thoughts: 0,
    offsetMs: turn.playback.sentMs,
    place: conversation.entries.length
  })
  const prompt = {
    history: conversation.entries.map((entry) => entry.turn),
    tools: functions,
    toolChoice: "auto",
    parallelCalls: true,
    instructions: undefined
  } as const
  const reply = decide(step.setup.assistant, prompt, turn.faults)
  if (reply instanceof Thoughtless) return step.close(1011, `Internal error occurred. ${reply.message}`)
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
  const { hasThoughts } = step.settings
  const beats = beatsOf({ reply, speech, deltaMs: step.setup.deltaMs, hasThoughts, faults })
  step.setTurn({ stage: "running", beats, at: 0 })
  wake(step)
}

const wake = (step: Step): void => {
  const { isHeld, turn } = step.state
  if (turn === undefined || isHeld) return
  const at = turn.stage === "playing" ? turn.playback.endsAt : turn.dueAt
  step.do({ _tag: "Wake", key: turn.key, afterMs: Math.max(0, at - step.now) })
}

/** Goes on with a turn that was held. */
export const release = (step: Step): void => {
  step.set({ isHeld: false })
  const stage = step.state.turn?.stage
  if (stage === "running" || stage === "playing") wake(step)
}

/** Something of the turn is about to be sent. */
const begin = (step: Step): void => {
  step.setTurn({ hasBegun: true })
  step.setConversation({ hasSpoken: true })
}

/** Sends what is due: everything up to the next piece of sound, and that one. */
export const advance = (step: Step, key: string): void => {
  if (step.state.turn?.key !== key) return
  for (;;) {
    const { isHeld, turn } = step.state
    if (turn === undefined || isHeld) return
    if (turn.stage === "playing") return complete(step, undefined)
    const beat = turn.stage === "running" ? turn.beats[turn.at] : undefined
    if (beat === undefined) return
    begin(step)
    if (turn.faults.some(({ _tag }) => _tag === "SingleMessage")) return sayAllInOne(step)
    if (beat._tag === "Finish") return onGenerated(step, beat.reason)
    if (isSound(beat) && sum(turn.used) >= step.settings.maxTokens) return onGenerated(step, undefined)
    step.setTurn({ at: turn.at + 1 })
    play(step, beat)
    if (!isSound(beat)) continue
    step.setTurn({ dueAt: turn.dueAt + beat.ms / step.setup.speed })
    return wake(step)
  }
}

/** Remembers a piece of sound that is being sent. */
export const noteSound = (step: Step, { ms, words }: Extract<Beat, { _tag: "Sound" }>): string => {
  const { offsetMs, playback, used, words: before } = step.state.turn!
  const text = words.map((word) => word.text).join("")
  step.setTurn({
    playback: playSound(playback, step.now, ms, step.isInstant),
    words: [
      ...before,
      ...words.map(({ endMs, startMs, text }) => ({ text, startMs: startMs + offsetMs, endMs: endMs + offsetMs }))
    ],
    used: plus(used, ofSound(ms))
  })
  return text
}

/** The sentences that end with the piece of sound that was sent last, as bursts. */
const burstsIn = (step: Step): ReadonlyArray<string> => {
  const { at, beats, words } = step.state.turn!
  const said = words.map(({ text }) => text).join("")
  const latest = beats[at - 1]
  const before = latest !== undefined && isSound(latest) ? latest.words.length : 0
  const known = words
    .slice(0, words.length - before)
    .map(({ text }) => text)
    .join("")
  const isLast = !beats.slice(at).some(isSound)
  const whole = (text: string): string =>
    isLast && text === said ? text : (/^[\s\S]*[.!?](?=\s|$)/.exec(text)?.[0] ?? "")
  const fresh = whole(said).slice(whole(known).length).trim()
  return fresh === "" ? [] : burstsOf(fresh)
}

/** The words of the last piece of sound, if there was one and they are late. */
const lateWordsOf = ({ at, beats, faults }: ModelTurn): string => {
  const last = beats.findLastIndex((beat) => isSound(beat) && beat.words.length > 0)
  const beat = beats[last]
  if (!has(faults, "LateTranscript") || beat === undefined || !isSound(beat) || last >= at) return ""
  return beat.words.map(({ text }) => text).join("")
}

const isLate = ({ state: { turn } }: Step): boolean => lateWordsOf(turn!) !== ""

const play = (step: Step, beat: Exclude<Beat, { readonly _tag: "Finish" }>): void => {
  const { family, transcribesOutput } = step.settings
  switch (beat._tag) {
    case "Thought":
      step.setTurn({ thoughts: ofText(beat.text).text })
      return step.send(content(thoughtOf(beat.text)))
    case "Written":
      return step.send(content(writtenOf(beat.text)))
    case "Sound": {
      if (family.beginsEmpty && step.state.turn!.playback.sentMs === 0) step.send(content())
      const text = noteSound(step, beat)
      const sound = soundOf(beat.bytes, family)
      if (text === "" || !transcribesOutput || isLate(step)) return step.send(content(sound))
      if (has(step.state.turn!.faults, "TranscriptBursts")) {
        step.send(content(sound))
        for (const piece of burstsIn(step)) step.send(content({ outputTranscription: transcriptionOf(piece) }))
        return
      }
      const transcription = { outputTranscription: transcriptionOf(text) }
      if (family.isTerse) return step.send(content(sound, transcription))
      step.send(content(sound))
      return step.send(content(transcription))
    }
    case "Calls": {
      remember(step, step.state.turn!.words)
      const calls = makeCalls(step, beat.calls)
      const isBlocked = calls.some(({ behavior }) => behavior === "BLOCKING")
      const functionCalls = calls.map(({ id, name }, i) => ({ name, args: beat.calls[i]!.arguments, id }))
      step.setTurn({ used: plus(step.state.turn!.used, ofText(JSON.stringify(functionCalls))) })
      const asParts = step.state.turn!.faults.find((fault) => fault._tag === "CallsAsParts")
      if (asParts !== undefined) step.send(content(callPartsOf(functionCalls)))
      const told = asParts?.also === false ? {} : { toolCall: { functionCalls } }
      // the turn goes on with what the functions answer; this much of it has been made
      const all = isBlocked ? { ...told, usageMetadata: usageOf(step.state.turn!) } : told
      if (Object.keys(all).length > 0) step.send(all)
      if (isBlocked) waitForFunctions(step)
      if (beat.takeBack) interrupt(step, "all")
      return
    }
  }
}

const waitForFunctions = (step: Step): void => {
  const { faults } = step.state.turn!
  step.setTurn({
    stage: "waiting",
    read: { prompt: none, tools: none },
    used: none,
    thoughts: 0,
    // the others have had their turn
    faults: faults.filter(({ _tag }) => _tag === "LateAudio" || _tag === "AudioWithInterruption")
  })
}

const sayAllInOne = (step: Step): void => {
  const { isBlocked } = sendAllInOne(step, (words) => remember(step, words))
  if (isBlocked) return waitForFunctions(step)
  step.set({ turn: undefined })
  settle(step)
}

/** The functions that the model waited for have answered: it goes on in the same turn. */
export const resume = (step: Step): void => {
  const { dueAt } = step.state.turn!
  if (step.settings.family.endsEmptyAfterAnswers) step.send(content({ turnComplete: true }))
  step.setTurn({ stage: "listening", dueAt: Math.max(dueAt, step.now + step.setup.latencyMs) })
  think(step)
}

/** Writes down what was said, or as much of it as was heard. */
const remember = (step: Step, words: ReadonlyArray<{ readonly text: string; readonly endMs: number }>): void => {
  const text = words.map((word) => word.text).join("")
  step.setTurn({ words: [] })
  if (text === "") return
  const ms = words.at(-1)!.endMs - step.state.turn!.offsetMs
  step.addToTurn({ key: step.id(), turn: { role: "assistant", text }, tokens: ofSound(ms), isUnheard: false })
}

/** All of it was made. The turn is over when the listener has heard it to the end. */
const onGenerated = (step: Step, reason: string | undefined): void => {
  if (reason !== undefined) return complete(step, reason)
  step.send(content({ generationComplete: true }))
  step.setTurn({ stage: "playing" })
  if (leftMs(step.state.turn!.playback, step.now) === 0) return complete(step, undefined)
  wake(step)
}

const complete = (step: Step, reason: string | undefined): void => {
  remember(step, step.state.turn!.words)
  end(step, reason)
  settle(step)
}

/** The one way in which a turn ends. */
const end = (step: Step, reason: string | undefined): void => {
  const turn = step.state.turn!
  step.set({ turn: undefined })
  step.do({ _tag: "Forget", key: turn.key })
  const usage = usageOf(turn)
  const background = turn.faults.find((fault) => fault._tag === "Background")
  const ended = endOf(step.settings.family, background !== undefined || isWaiting(step), reason)
  step.send({ ...content(ended), ...(usage.totalTokenCount === 0 ? {} : { usageMetadata: usage }) })
  if (background !== undefined) step.send(doneOf(step.settings.family, background.where))
  const late = step.settings.transcribesOutput ? lateWordsOf(turn) : ""
  if (late !== "") step.send(content({ outputTranscription: transcriptionOf(late) }))
}

/** Stops the turn where it is; what nobody has heard of it is forgotten. Functions that it waited for are called off. */
export const interrupt = (step: Step, functions: "blocking" | "all" = "blocking"): void => {
  const { turn } = step.state
  if (turn === undefined) return
  if (!turn.hasBegun) {
    step.do({ _tag: "Forget", key: turn.key })
    return step.set({ turn: undefined, armed: [...turn.faults, ...step.state.armed] })
  }
  const { family } = step.settings
  cancelCalls(step, functions)
  remember(step, heardOf(turn.words, turn.playback, step.now))
  const rest = turn.beats.slice(turn.at).filter(isSound)
  const isLoud = turn.faults.some(({ _tag }) => _tag === "AudioWithInterruption")
  const sound = isLoud ? rest.slice(0, 1).map(({ bytes }) => soundOf(bytes, family)) : []
  step.send(content({ interrupted: true }, ...sound))
  end(step, undefined)
  for (const fault of turn.faults) {
    if (fault._tag !== "LateAudio") continue
    for (const { bytes } of rest.slice(0, fault.chunks)) step.send(content(soundOf(bytes, family)))
  }
}
