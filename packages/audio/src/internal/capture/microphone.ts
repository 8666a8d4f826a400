/**
 * The microphone as an input of a conversation.
 */
import * as BidiInput from "@effect-bidi/core/BidiInput"
import type { AudioInput } from "@effect-bidi/core/BidiEvent"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { AudioFormat } from "@effect-bidi/core/Audio"
import type { AudioError } from "../../AudioError.ts"
import type { Microphone } from "../backends/backend.ts"
import { debugLine } from "../session/debugLine.ts"
import * as Echo from "./echoCanceller.ts"
import { keepOpen } from "../session/keepOpen.ts"
import * as DeviceSession from "../session/deviceSession.ts"
import * as Pipeline from "./pipeline.ts"

const NAME = "microphone"
const DEFAULT_FRAME_MILLIS = 20

// How much audio the level meter sees.
const METER_MILLIS = 100

const dropped = Metric.counter("bidi_audio_input_dropped", {
  description: "Frames of the microphone that were dropped because the conversation did not take them in time",
  incremental: true
})

export const make = (session: DeviceSession.DeviceSession): BidiInput.BidiInput<AudioError, CurrentConversation> => ({
  name: NAME,
  run: (take) =>
    Effect.flatMap(CurrentConversation, ({ model }) => {
      const frame = session.settings.inputFrame ?? Math.round((model.input.sampleRate * DEFAULT_FRAME_MILLIS) / 1000)
      const frameMillis = (frame * 1000) / model.input.sampleRate
      const capacity = Math.max(1, Math.round(session.settings.inputBuffer / frameMillis))
      return BidiInput.capture(NAME, (push) => listen(session, model.input, frame, push), { capacity }).run(take)
    })
})

/** Passes what the microphone captures to `push`, until it ends. */
const listen = Effect.fnUntraced(function* (
  session: DeviceSession.DeviceSession,
  format: AudioFormat,
  frame: number,
  push: (input: AudioInput) => boolean
) {
  const { clock, counts, recentInput, settings } = session
  const context = yield* Effect.context<never>()
  const log = yield* debugLine
  const now = () => clock.currentTimeMillisUnsafe()
  const frameMillis = (frame * 1000) / format.sampleRate
  const meterFrames = Math.max(1, Math.round(METER_MILLIS / frameMillis))
  const rate = settings.deviceRate ?? (settings.echoCancellation ? Echo.RATE : format.sampleRate)

  const onFrame = (audio: Uint8Array): void => {
    counts.captured += frame
    recentInput.push(audio)
    if (recentInput.length > meterFrames) recentInput.shift()
    if (push({ _tag: "AudioInput", audio, ...format })) return
    counts.dropped += frame
    log?.("microphone: overrun, the oldest frame was dropped because the conversation did not take it in time")
    dropped.updateUnsafe(1, context)
  }

  const open = Effect.gen(function* () {
    const device = yield* DeviceSession.device(session, "input")
    let pipeline: ((pcm: Uint8Array) => void) | undefined
    const request = { sampleRate: rate, channels: 1, frameMillis }
    // audio that arrives before its format is known is at most a frame or two, and is dropped
    const microphone = yield* session.backend.microphone(device, request, (pcm) => pipeline?.(pcm))
    pipeline = yield* Pipeline.make({
      from: microphone.format,
      to: format,
      frame,
      echoCancellation: settings.echoCancellation,
      halfDuplex: settings.halfDuplex,
      playing: () => session.playback,
      makeResampler: session.makeResampler,
      now,
      onFrame
    })
    // the device may still deliver audio while everything closes
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        pipeline = undefined
      })
    )
    return { ...microphone, device: DeviceSession.describe(device) }
  })

  yield* keepOpen<Microphone & { readonly device: string }>({
    open,
    schedule: settings.reopen,
    onOpen: ({ device, format }, again) => {
      const { sampleRate } = format
      return DeviceSession.opened(session, { _tag: "DeviceOpened", direction: "input", device, sampleRate, again })
    },
    onLost: ({ message }, { device, format: own, lost }) => {
      counts.dropped += Math.round((lost() * format.sampleRate) / own.sampleRate)
      return DeviceSession.lost(session, "input", device, message)
    }
  }).pipe(Effect.ensuring(Effect.sync(() => recentInput.splice(0))))
})
