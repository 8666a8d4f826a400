/**
 * Realtime input: what the user says, types and shows.
 */
import type { Image } from "../../Prompt.ts"
import { fromBytes, resample } from "../../Pcm.ts"
import * as Base64 from "../audio/base64.ts"
import * as InputBuffer from "../audio/inputBuffer.ts"
import * as Vad from "../audio/vad.ts"
import { ofText, plus } from "../session/tokens.ts"
import { wordsOf } from "../voice/words.ts"
import { isBlocked } from "./calls.ts"
import type { RealtimeInput } from "./protocol.ts"
import { burstsOf, content, secondsOf, transcriptionOf } from "./messages.ts"
import { silence } from "./state.ts"
import type { Step } from "./step.ts"
import { interrupt, onTranscribed, request, settle } from "./turn.ts"
import { ofImages, ofSound } from "./usage.ts"

type Blob = NonNullable<RealtimeInput["audio"]>

/** How many video frames are kept until the next turn of the user. */
const MAX_IMAGES = 32

const startActivity = (step: Step, atMs: number): void => {
  step.set({ hearing: { ...step.state.hearing, isActive: true } })
  tellActivity(step, "ACTIVITY_START", atMs)
  if (step.settings.interrupts) interrupt(step)
}

const tellActivity = (step: Step, type: string, atMs: number): void => {
  if (!(step.setup.reportsActivity ?? step.settings.family.reportsActivity)) return
  step.send({ serverContent: {}, voiceActivity: { type, audioOffset: secondsOf(atMs) } })
}

/** Removes the images and returns them, for the turn that is about to begin. */
const takeImages = (step: Step): ReadonlyArray<Image> => {
  const { images } = step.state.hearing
  step.set({ hearing: { ...step.state.hearing, images: [] } })
  return images
}

/** Ends the user's turn at `endMs`: its audio is transcribed, and a reply is asked for. */
const endActivity = (step: Step, endMs: number): void => {
  const images = takeImages(step)
  const { hearing } = step.state
  const { ms, sampleRate, sinceMs } = hearing
  const [samples, rest] = InputBuffer.splitAt(hearing, endMs, sampleRate)
  step.set({ hearing: { ...rest, isActive: false, sinceMs: rest.ms } })
  tellActivity(step, "ACTIVITY_END", endMs)
  const key = step.id()
  const heardMs = step.settings.coverage === "TURN_INCLUDES_ALL_INPUT" ? sinceMs - rest.ms : ms - rest.ms
  step.add({
    key,
    turn: { role: "user", text: "", images },
    tokens: plus(ofSound(heardMs), ofImages(images.length)),
    isPending: true
  })
  step.do({ _tag: "Transcribe", key, pcm: { samples, sampleRate } })
  request(step)
}

/** Handles the transcript of a turn; `undefined` when the transcription failed. */
export const onHeard = (step: Step, key: string, heard: string | undefined): void => {
  const { entries } = step.state.conversation
  const entry = entries.find((one) => one.key === key)
  if (entry?.turn.role !== "user") return
  const text = heard || `(speech, ${((entry.tokens.audio * 40) / 1000).toFixed(1)} s)`
  const turn = { ...entry.turn, text }
  step.setConversation({
    entries: entries.map((one) => (one.key === key ? { ...one, turn, isPending: false } : one))
  })
  const { family, transcribesInput } = step.settings
  if (transcribesInput && heard !== undefined) {
    if (step.setup.reportsActivity ?? family.reportsActivity) {
      step.send(content({ interimInputTranscription: transcriptionOf(text) }))
    }
    const isBurst = step.state.turn?.faults.some(({ _tag }) => _tag === "TranscriptBursts") === true
    for (const piece of isBurst ? burstsOf(text) : family.isTerse ? [text] : wordsOf(text)) {
      step.send(content({ inputTranscription: transcriptionOf(piece) }))
    }
  }
  onTranscribed(step)
}

const onAudio = (step: Step, { data, mimeType }: Blob): void => {
  if (step.settings.family.isDeafWhileBlocked && isBlocked(step)) {
    return step.close(1008, "Operation is not implemented, or supported, or enabled.")
  }
  const rate = /^audio\/pcm(?:\s*;\s*rate=(\d+))?$/.exec(mimeType)
  const given = rate === null ? 0 : Number(rate[1] ?? 16_000)
  if (given < 8000 || given > 48_000) return step.refuse(`Unsupported MIME type of realtime audio: ${mimeType}`)
  const bytes = Base64.decode(data)
  if (bytes === undefined || bytes.length % 2 === 1) {
    return step.refuse("Invalid value at 'realtimeInput.audio.data' (TYPE_BYTES)")
  }
  // the detector needs whole frames of 20 ms
  const { sampleRate, samples } = given % 50 === 0 ? fromBytes(bytes, given) : resample(fromBytes(bytes, given), 16_000)
  const { hearing } = step.state
  const isOther = sampleRate !== hearing.sampleRate
  // audio at another rate cannot be joined to the buffer
  const before = isOther ? { ...silence(InputBuffer.endOf(hearing), sampleRate), images: hearing.images } : hearing
  const longer = InputBuffer.append(before, samples, sampleRate)
  const added = { ...longer, sinceMs: before.sinceMs + longer.ms - before.ms }
  const { settings } = step
  if (settings.vad === undefined) {
    if (before.isActive) step.set({ hearing: added })
    return
  }
  const [vad, events] = Vad.step(settings.vad, before.vad, samples, sampleRate)
  step.set({ hearing: { ...added, vad } })
  for (const event of events) {
    if (event._tag === "Started") {
      const { hearing } = step.state
      step.set({ hearing: InputBuffer.keepLast(hearing, InputBuffer.endOf(hearing) - event.atMs, sampleRate) })
      startActivity(step, event.atMs)
    } else endActivity(step, event.atMs)
  }
  const now = step.state.hearing
  if (!now.isActive) step.set({ hearing: InputBuffer.trim(now, settings.vad.prefixPaddingMs, sampleRate) })
}

const onVideo = (step: Step, { data, mimeType }: Blob): void => {
  if (!/^image\/[\w.+-]+$/.test(mimeType)) return step.refuse(`Unsupported MIME type of realtime video: ${mimeType}`)
  const bytes = Base64.decode(data)
  if (bytes === undefined) return step.refuse("Invalid value at 'realtimeInput.video.data' (TYPE_BYTES)")
  const { hearing } = step.state
  const image = { mediaType: mimeType, bytes: bytes.length }
  // between turns only the last image counts, where a turn includes only activity
  const isIdle = step.settings.coverage === "TURN_INCLUDES_ONLY_ACTIVITY" && !hearing.isActive
  step.set({ hearing: { ...hearing, images: isIdle ? [image] : [...hearing.images, image].slice(-MAX_IMAGES) } })
}

const onText = (step: Step, text: string): void => {
  const images = takeImages(step)
  const { interrupts, vad } = step.settings
  // typed text counts as activity when activity is detected automatically
  if (vad !== undefined && interrupts) interrupt(step)
  step.add({
    key: step.id(),
    turn: { role: "user", text, images },
    tokens: plus(ofText(text), ofImages(images.length)),
    isPending: false
  })
  request(step)
}

const onActivity = (step: Step, isStart: boolean): void => {
  if (step.settings.vad !== undefined) {
    return step.refuse("Explicit activity control is not supported when automatic activity detection is enabled.")
  }
  const { hearing } = step.state
  if (isStart === hearing.isActive) {
    return step.refuse(isStart ? "The user's activity has already started." : "No activity of the user has started.")
  }
  const nowMs = InputBuffer.endOf(hearing)
  if (isStart) return startActivity(step, nowMs)
  endActivity(step, nowMs)
}

/** The microphone is off, which ends the turn of the user. */
const onStreamEnd = (step: Step): void => {
  if (step.settings.vad === undefined) {
    return step.refuse("audioStreamEnd is only supported when automatic activity detection is enabled.")
  }
  const { hearing } = step.state
  const endMs = InputBuffer.endOf(hearing)
  if (hearing.isActive) endActivity(step, endMs)
  const { images } = step.state.hearing
  step.set({ hearing: { ...silence(endMs, hearing.sampleRate), images } })
  settle(step)
}

/** One message may hold several kinds of input. */
export const onRealtimeInput = (step: Step, input: RealtimeInput): void => {
  const { activityEnd, activityStart, audio, audioStreamEnd, mediaChunks = [], text, video } = input
  const acts: ReadonlyArray<() => void> = [
    ...(activityStart === undefined ? [] : [() => onActivity(step, true)]),
    ...[...mediaChunks, ...(video === undefined ? [] : [video]), ...(audio === undefined ? [] : [audio])].map(
      (blob) => () => (blob.mimeType.startsWith("image/") || blob === video ? onVideo(step, blob) : onAudio(step, blob))
    ),
    ...(text === undefined ? [] : [() => onText(step, text)]),
    ...(audioStreamEnd === true ? [() => onStreamEnd(step)] : []),
    ...(activityEnd === undefined ? [] : [() => onActivity(step, false)])
  ]
  for (const act of acts) if (!step.state.ended) act()
}
