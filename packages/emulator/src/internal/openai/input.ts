/**
 * The input audio buffer: the audio of the user, cut into turns by voice activity detection or by the client.
 */
import * as InputBuffer from "../audio/inputBuffer.ts"
import * as Vad from "../audio/vad.ts"
import { Refused } from "./check.ts"
import { announce } from "./items.ts"
import type { ClientEvent } from "./protocol.ts"
import { cancel, createResponse } from "./responses.ts"
import { rateOf, silenceOf } from "./settings.ts"
import type { SemanticVad, ServerVad } from "./settings.ts"
import { emptyBuffer } from "./state.ts"
import type { Item } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"
import { bytesOf, decodeSound } from "./wireAudio.ts"

/** The shortest turn that can be committed. */
const MIN_COMMIT_MS = 100

/** How many spoken turns keep their audio, which the client may retrieve. */
const MAX_KEPT_AUDIO = 8

const configOf = (detection: ServerVad | SemanticVad): Vad.Config => ({
  threshold: detection.type === "server_vad" ? detection.threshold : 0.5,
  prefixPaddingMs: detection.type === "server_vad" ? detection.prefix_padding_ms : 300,
  silenceMs: silenceOf(detection)
})

/** Makes an item from the audio in the buffer up to `endMs`. The rest stays in the buffer. */
const commitUpTo = (step: Step, endMs: number, id: string, isSpeech: boolean): void => {
  const { buffer, items, settings } = step.state
  const { format } = settings.audio.input
  const rate = rateOf(format)
  const [samples, rest] = InputBuffer.splitAt(buffer, endMs, rate)
  step.set({
    buffer: { ...rest, speech: undefined },
    items: forgetOldSounds(items)
  })
  const previousId = step.lastItemId
  const ms = (samples.length * 1000) / rate
  const item: Item = {
    id,
    wire: {
      id,
      type: "message",
      status: "completed",
      role: "user",
      content: [{ type: "input_audio", transcript: null }]
    },
    turn: { role: "user", text: "", images: [] },
    tokens: Usage.ofHeard(ms),
    isPending: isSpeech,
    isTruncated: false,
    sound: bytesOf(samples, format),
    soundMs: ms,
    spoken: undefined
  }
  step.insert(item)
  step.send({ type: "input_audio_buffer.committed", previous_item_id: previousId, item_id: id })
  announce(step, item, previousId)
  if (isSpeech) step.do({ _tag: "Transcribe", key: id, pcm: { samples, sampleRate: rate } })
}

const forgetOldSounds = (items: ReadonlyArray<Item>): ReadonlyArray<Item> => {
  const sounds = items.filter(({ sound }) => sound !== undefined)
  if (sounds.length < MAX_KEPT_AUDIO) return items
  const oldest = sounds[0]!.id
  return items.map((item) => (item.id === oldest ? { ...item, sound: undefined } : item))
}

const onVadEvent = (step: Step, event: Vad.Event, detection: ServerVad | SemanticVad): void => {
  const rate = rateOf(step.state.settings.audio.input.format)
  if (event._tag === "Started") {
    const itemId = step.id("item")
    const { buffer } = step.state
    const speech = InputBuffer.keepLast(buffer, InputBuffer.endOf(buffer) - event.atMs, rate)
    step.set({ buffer: { ...speech, speech: { itemId } } })
    step.do({ _tag: "Forget", key: "idle" })
    step.send({ type: "input_audio_buffer.speech_started", audio_start_ms: Math.round(event.atMs), item_id: itemId })
    if (detection.interrupt_response && step.speaking !== undefined) cancel(step, step.speaking.id, "turn_detected")
    return
  }
  // the client may have committed the turn before it was over
  const itemId = step.state.buffer.speech?.itemId ?? step.id("item")
  step.send({ type: "input_audio_buffer.speech_stopped", audio_end_ms: Math.round(event.atMs), item_id: itemId })
  commitUpTo(step, event.atMs, itemId, true)
  if (detection.create_response) createResponse(step, {})
}

export const append = (step: Step, { audio }: Extract<ClientEvent, { type: "input_audio_buffer.append" }>): void => {
  const { format, turn_detection: detection } = step.state.settings.audio.input
  const sound = decodeSound(audio, format, "audio")
  if (sound instanceof Refused) return step.refuseFor(sound.problem)
  const { buffer } = step.state
  const { samples, sampleRate } = sound.pcm
  const longer = InputBuffer.append(buffer, samples, sampleRate)
  if (detection === null) return step.set({ buffer: longer })
  const config = configOf(detection)
  const [vad, events] = Vad.step(config, buffer.vad, samples, sampleRate)
  step.set({ buffer: { ...longer, vad } })
  for (const event of events) onVadEvent(step, event, detection)
  const now = step.state.buffer
  if (now.speech === undefined) step.set({ buffer: InputBuffer.trim(now, config.prefixPaddingMs, sampleRate) })
}

const restart = (step: Step): void => {
  const { buffer } = step.state
  step.set({ buffer: emptyBuffer(InputBuffer.endOf(buffer)) })
}

export const commit = (step: Step): void => {
  const { buffer } = step.state
  if (buffer.ms < MIN_COMMIT_MS) {
    return step.refuse(
      "input_audio_buffer_commit_empty",
      `Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has ${buffer.ms.toFixed(2)}ms of audio.`
    )
  }
  commitUpTo(step, InputBuffer.endOf(buffer), buffer.speech?.itemId ?? step.id("item"), true)
  restart(step)
}

export const clear = (step: Step): void => {
  restart(step)
  step.send({ type: "input_audio_buffer.cleared" })
}

/** Restarts detection when its settings changed. Audio in another format cannot be joined to the buffer. */
export const onSettings = (step: Step, before: Step["state"]["settings"]): void => {
  const { format, turn_detection: detection } = step.state.settings.audio.input
  const was = before.audio.input
  if (format.type !== was.format.type) return restart(step)
  if (JSON.stringify(detection) === JSON.stringify(was.turn_detection)) return
  const { buffer } = step.state
  step.set({ buffer: { ...buffer, vad: Vad.initial(InputBuffer.endOf(buffer)), speech: undefined } })
}

/** Nobody spoke before the idle timeout: the assistant asks whether the user is still there. */
export const onIdle = (step: Step): void => {
  const { buffer, settings } = step.state
  const detection = settings.audio.input.turn_detection
  if (detection?.type !== "server_vad" || detection.idle_timeout_ms === null) return
  if (step.speaking !== undefined || buffer.speech !== undefined) return
  const id = step.id("item")
  const endMs = InputBuffer.endOf(buffer)
  step.send({
    type: "input_audio_buffer.timeout_triggered",
    audio_start_ms: Math.round(buffer.startMs),
    audio_end_ms: Math.round(endMs),
    item_id: id
  })
  commitUpTo(step, endMs, id, false)
  createResponse(step, { instructions: 'Say exactly: "Are you still there?"' }, "idle")
}
