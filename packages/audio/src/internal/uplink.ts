/**
 * The way of a piece of sound from the microphone to the model: one channel, without the echo, at the model's rate, silent
 * when it shall be, in frames of one size. All of it happens in the stack of the piece that arrives.
 */
import type { AudioFormat } from "@effect-bidi/core/Audio"
import * as Audio from "@effect-bidi/core/Audio"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Pcm } from "./backend.ts"
import * as Codec from "./codec.ts"
import * as Echo from "./echo.ts"
import { Framing } from "./framing.ts"
import * as Resampler from "./resampler.ts"
import { mix } from "./samples.ts"
import type { Playing } from "./studio.ts"

// The room still sounds for a moment, and a device is never quite where it says.
const HANGOVER = 250

/** Answers what takes pieces of a device's sound. */
export const make = Effect.fnUntraced(function* (options: {
  readonly from: Pcm
  readonly to: AudioFormat
  /** Moments of a frame. */
  readonly frame: number
  readonly echoCancellation: boolean
  readonly halfDuplex: boolean
  readonly playing: () => Playing | undefined
  readonly now: () => number
  readonly onFrame: (frame: Uint8Array) => void
}) {
  const { frame, from, halfDuplex, now, onFrame, playing, to } = options
  const clean = options.echoCancellation ? yield* canceller(from, playing) : (pcm: Uint8Array) => pcm
  const resampler = yield* Resampler.make(options.echoCancellation ? Echo.RATE : from.sampleRate, to.sampleRate)
  const encode = Codec.encoder(to)
  const samples = new Audio.WholeSamples({ encoding: "pcm", ...from } as AudioFormat)
  const framing = new Framing(frame * Audio.frameSize(to))
  let audibleAt = -Infinity

  return (piece: Uint8Array): void => {
    let pcm = resampler.push(clean(mix(samples.push(piece), from.channels, 1)))
    if (halfDuplex) {
      const time = now()
      if (playing()?.audible() === true) audibleAt = time
      if (time - audibleAt < HANGOVER) pcm = new Uint8Array(pcm.length)
    }
    framing.push(encode(pcm), onFrame)
  }
})

const canceller = Effect.fnUntraced(function* (from: Pcm, playing: () => Playing | undefined) {
  const echo = yield* Echo.make
  const microphone = yield* Resampler.make(from.sampleRate, Echo.RATE)
  const scope = yield* Effect.scope
  let speaker: { readonly rate: number; readonly resampler: Resampler.Resampler } | undefined
  // what the canceller is given of both sides has to be equally long
  let surplus: Uint8Array = new Uint8Array(0)

  const reference = (length: number, millis: number): Uint8Array => {
    const ahead = playing()?.ahead(millis)
    if (ahead !== undefined) {
      if (speaker?.rate !== ahead.sampleRate) {
        // loaded already, so this waits for nothing
        const resampler = Effect.runSync(
          Effect.provideService(Resampler.make(ahead.sampleRate, Echo.RATE), Scope.Scope, scope)
        )
        speaker = { rate: ahead.sampleRate, resampler }
      }
      surplus = Buffer.concat([surplus, speaker.resampler.push(ahead.pcm)])
    }
    const taken = new Uint8Array(length)
    taken.set(surplus.subarray(0, length))
    // a little is kept for the next time; more than that is old
    surplus = surplus.subarray(length).subarray(-SURPLUS)
    return taken
  }

  return (pcm: Uint8Array): Uint8Array => {
    const millis = (pcm.length / 2 / from.sampleRate) * 1000
    const heard = microphone.push(pcm)
    return heard.length === 0 ? heard : echo.process(heard, reference(heard.length, millis))
  }
})

const SURPLUS = (Echo.RATE / 100) * 2
