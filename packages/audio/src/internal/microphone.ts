/**
 * The microphone as an input of a conversation.
 */
import * as BidiInput from "@effect-bidi/core/BidiInput"
import type { AudioInput } from "@effect-bidi/core/BidiEvent"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { AudioFormat } from "@effect-bidi/core/Audio"
import type { AudioError } from "../AudioError.ts"
import type { Microphone } from "./backend.ts"
import { debugLine } from "./debugLine.ts"
import * as Echo from "./echo.ts"
import { keep } from "./keep.ts"
import * as Studio from "./studio.ts"
import * as Uplink from "./uplink.ts"

const NAME = "microphone"
const FRAME_MILLIS = 20

const dropped = Metric.counter("bidi_audio_input_dropped", {
  description: "Frames of the microphone that were lost because the conversation did not take them in time",
  incremental: true
})

export const make = (studio: Studio.Studio): BidiInput.BidiInput<AudioError, CurrentConversation> => ({
  name: NAME,
  run: (take) =>
    Effect.flatMap(CurrentConversation, ({ model }) => {
      const frame = studio.settings.inputFrame ?? Math.round((model.input.sampleRate * FRAME_MILLIS) / 1000)
      const frameMillis = (frame * 1000) / model.input.sampleRate
      // the oldest frame goes when there is no room
      const capacity = Math.max(1, Math.round(studio.settings.inputBuffer / frameMillis))
      return BidiInput.capture(NAME, (push) => listen(studio, model.input, frame, push), { capacity }).run(take)
    })
})

/** Gives what it hears to `push` until the microphone ends. */
const listen = Effect.fnUntraced(function* (
  studio: Studio.Studio,
  format: AudioFormat,
  frame: number,
  push: (input: AudioInput) => boolean
) {
  const { clock, counts, heard, settings } = studio
  const context = yield* Effect.context<never>()
  const log = yield* debugLine
  const now = () => clock.currentTimeMillisUnsafe()
  const frameMillis = (frame * 1000) / format.sampleRate
  const tenth = Math.max(1, Math.round(100 / frameMillis))
  const rate = settings.deviceRate ?? (settings.echoCancellation ? Echo.RATE : format.sampleRate)

  const onFrame = (audio: Uint8Array): void => {
    counts.captured += frame
    heard.push(audio)
    if (heard.length > tenth) heard.shift()
    if (push({ _tag: "AudioInput", audio, ...format })) return
    counts.dropped += frame
    log?.("microphone: overrun, its oldest frame was not taken in time and is lost")
    dropped.updateUnsafe(1, context)
  }

  const open = Effect.fnUntraced(function* () {
    const device = yield* Studio.device(studio, "input")
    let uplink: ((pcm: Uint8Array) => void) | undefined
    const request = { sampleRate: rate, channels: 1, frameMillis }
    // sound that comes before it is known in which format is less than a frame or two
    const microphone = yield* studio.backend.microphone(device, request, (pcm) => uplink?.(pcm))
    uplink = yield* Uplink.make({
      from: microphone.format,
      to: format,
      frame,
      echoCancellation: settings.echoCancellation,
      halfDuplex: settings.halfDuplex,
      playing: () => studio.playing,
      now,
      onFrame
    })
    // the device may still give a piece while everything is being closed
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        uplink = undefined
      })
    )
    return { ...microphone, device: Studio.describe(device) }
  })

  yield* keep<Microphone & { readonly device: string }>({
    open,
    schedule: settings.reopen,
    onOpen: ({ device, format }, again) => {
      const { sampleRate } = format
      return Studio.opened(studio, { _tag: "DeviceOpened", direction: "input", device, sampleRate, again })
    },
    onLost: ({ message }, { device, format: own, lost }) => {
      counts.dropped += Math.round((lost() * format.sampleRate) / own.sampleRate)
      return Studio.lost(studio, "input", device, message)
    }
  }).pipe(Effect.ensuring(Effect.sync(() => heard.splice(0))))
})
