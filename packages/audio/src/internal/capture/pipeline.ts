/**
 * From the audio of a microphone to frames for the model: mixed to one channel, without echo, resampled, silenced in half
 * duplex, and cut into frames. All of it runs in the stack of the device's callback.
 */
import type { AudioFormat } from "@effect-bidi/core/Audio"
import * as Audio from "@effect-bidi/core/Audio"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Pcm } from "../backends/backend.ts"
import * as Codec from "../signal/codec.ts"
import * as Echo from "./echoCanceller.ts"
import { Framing } from "./framing.ts"
import type { MakeResampler, Resampler } from "../signal/resampler.ts"
import { mix } from "../signal/samples.ts"
import type { Playback } from "../session/deviceSession.ts"

// The room reverberates for a moment, and the position of a device is never exact.
const HALF_DUPLEX_TAIL_MILLIS = 250

/** Returns a function that takes the device's audio. */
export const make = Effect.fnUntraced(function* (options: {
  readonly from: Pcm
  readonly to: AudioFormat
  /** The length of a frame, in samples. */
  readonly frame: number
  readonly echoCancellation: boolean
  readonly halfDuplex: boolean
  readonly playing: () => Playback | undefined
  readonly makeResampler: MakeResampler
  readonly now: () => number
  readonly onFrame: (frame: Uint8Array) => void
}) {
  const { frame, from, halfDuplex, makeResampler, now, onFrame, playing, to } = options
  const clean = options.echoCancellation ? yield* canceller(from, playing, makeResampler) : (pcm: Uint8Array) => pcm
  const resampler = yield* makeResampler(options.echoCancellation ? Echo.RATE : from.sampleRate, to.sampleRate)
  const encode = Codec.encoder(to)
  const samples = new Audio.WholeSamples({ encoding: "pcm", ...from } as AudioFormat)
  const framing = new Framing(frame * Audio.frameSize(to))
  let audibleAt = -Infinity

  return (piece: Uint8Array): void => {
    let pcm = resampler.push(clean(mix(samples.push(piece), from.channels, 1)))
    if (halfDuplex) {
      const time = now()
      if (playing()?.audible() === true) audibleAt = time
      if (time - audibleAt < HALF_DUPLEX_TAIL_MILLIS) pcm = new Uint8Array(pcm.length)
    }
    framing.push(encode(pcm), onFrame)
  }
})

const canceller = Effect.fnUntraced(function* (
  from: Pcm,
  playing: () => Playback | undefined,
  makeResampler: MakeResampler
) {
  const echo = yield* Echo.make
  const microphone = yield* makeResampler(from.sampleRate, Echo.RATE)
  const scope = yield* Effect.scope
  let speaker: { readonly rate: number; readonly resampler: Resampler } | undefined
  // the canceller needs equally long pieces of both sides
  let surplus: Uint8Array = new Uint8Array(0)

  const reference = (length: number, millis: number): Uint8Array => {
    const ahead = playing()?.reference(millis)
    if (ahead !== undefined) {
      if (speaker?.rate !== ahead.sampleRate) {
        // the library is loaded, so this does not wait
        const resampler = Effect.runSync(Scope.provide(makeResampler(ahead.sampleRate, Echo.RATE), scope))
        speaker = { rate: ahead.sampleRate, resampler }
      }
      surplus = Buffer.concat([surplus, speaker.resampler.push(ahead.pcm)])
    }
    const taken = new Uint8Array(length)
    taken.set(surplus.subarray(0, length))
    // a little is kept for the next piece; more than that is outdated
    surplus = surplus.subarray(length).subarray(-MAX_SURPLUS_BYTES)
    return taken
  }

  return (pcm: Uint8Array): Uint8Array => {
    const millis = (pcm.length / 2 / from.sampleRate) * 1000
    const heard = microphone.push(pcm)
    return heard.length === 0 ? heard : echo.process(heard, reference(heard.length, millis))
  }
})

const MAX_SURPLUS_BYTES = (Echo.RATE / 100) * 2
