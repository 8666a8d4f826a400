/**
 * The audio of the user, cut into turns at its pauses.
 */
import { fromBytes } from "../../Pcm.ts"
import * as Base64 from "../audio/base64.ts"
import * as InputBuffer from "../audio/inputBuffer.ts"
import * as Vad from "../audio/vad.ts"
import { sendText } from "./blocks.ts"
import { unparsable } from "./check.ts"
import type { Block } from "./state.ts"
import { silence } from "./state.ts"
import type { Step } from "./step.ts"
import { interrupt, onTranscribed, request, settle } from "./turn.ts"
import * as Usage from "./usage.ts"

/** Audio before the detected start that belongs to a turn. */
const PREFIX_MS = 300

/** Ends the user's turn at `endMs`: its audio is transcribed, and a reply is asked for. */
const endSpeech = (step: Step, endMs: number, rate: number): void => {
  const [samples, rest] = InputBuffer.splitAt(step.state.hearing, endMs, rate)
  step.set({ hearing: { ...rest, isSpeaking: false } })
  const key = step.id()
  const soundMs = (samples.length * 1000) / rate
  step.add({ key, turn: { role: "user", text: "", images: [] }, isPending: true, soundMs })
  step.count("input", Usage.ofSound(soundMs))
  step.do({ _tag: "Transcribe", key, pcm: { samples, sampleRate: rate } })
  request(step)
}

export const onAudioInput = (step: Step, block: Block, content: string): void => {
  const bytes = Base64.decode(content)
  if (bytes === undefined || bytes.length % 2 === 1) return step.refuse(unparsable("audioInput.content is no sound"))
  const rate = block.sampleRate
  const { samples } = fromBytes(bytes, rate)
  const { hearing, silenceMs } = step.state
  const config: Vad.Config = { threshold: 0.5, prefixPaddingMs: PREFIX_MS, silenceMs }
  const [vad, events] = Vad.step(config, hearing.vad, samples, rate)
  step.set({ hearing: { ...InputBuffer.append(hearing, samples, rate), vad } })
  for (const event of events) {
    if (event._tag === "Stopped") endSpeech(step, event.atMs, rate)
    else {
      const { hearing } = step.state
      const speech = InputBuffer.keepLast(hearing, InputBuffer.endOf(hearing) - event.atMs, rate)
      step.set({ hearing: { ...speech, isSpeaking: true } })
      interrupt(step)
    }
  }
  const now = step.state.hearing
  if (now.isSpeaking) step.set({ wordAt: step.now })
  else step.set({ hearing: InputBuffer.trim(now, PREFIX_MS, rate) })
}

/** The audio content ended, which ends the turn of the user. */
export const onAudioEnd = (step: Step, rate: number): void => {
  const { hearing } = step.state
  const endMs = InputBuffer.endOf(hearing)
  if (hearing.isSpeaking) endSpeech(step, endMs, rate)
  step.set({ hearing: silence(endMs) })
  settle(step)
}

/** Handles the transcript of a turn; `undefined` when the transcription failed. */
export const onHeard = (step: Step, key: string, heard: string | undefined): void => {
  const entry = step.state.entries.find((one) => one.key === key)
  if (entry?.turn.role !== "user") return
  const text = heard || `(speech, ${(entry.soundMs / 1000).toFixed(1)} s)`
  const turn = { ...entry.turn, text }
  step.set({ entries: step.state.entries.map((one) => (one === entry ? { ...one, turn, isPending: false } : one)) })
  if (heard !== undefined && heard !== "") {
    step.count("output", Usage.ofText(text))
    sendText(step, "USER", "FINAL", text, "PARTIAL_TURN")
    step.sendUsage()
  }
  onTranscribed(step)
}
