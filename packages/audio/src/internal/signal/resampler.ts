/**
 * Changes the sample rate of a stream, with state across its frames (`speex-resampler`, WebAssembly).
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import { withoutHandlers } from "./emscripten.ts"

export interface Resampler {
  /** One channel in, one channel out. Returns what is ready: the filter holds back a millisecond or two. */
  readonly push: (pcm: Uint8Array) => Uint8Array
  /** Discards what the filter holds back. */
  readonly clear: () => void
}

/** Makes resamplers for one channel, each for as long as its scope lives. With equal rates it passes frames through. */
export type MakeResampler = (from: number, to: number) => Effect.Effect<Resampler, never, Scope.Scope>

/** The class of the library, which is the `default` of a CommonJS module. */
interface Speex {
  new (channels: number, from: number, to: number, quality: number): { readonly processChunk: (pcm: Buffer) => Buffer }
  readonly initPromise: Promise<unknown>
}

const require = createRequire(import.meta.url)

/** A signal-to-noise ratio of 89 dB at the rates of speech; more costs more and is not audible. */
const QUALITY = 5

const passThrough: Resampler = { push: (pcm) => pcm, clear: () => {} }

/** Loads the library. Its instances cannot be freed, so those of closed scopes are used again. */
export const load: Effect.Effect<MakeResampler> = Effect.gen(function* () {
  const Speex = yield* withoutHandlers(async () => {
    const { default: Speex } = require("speex-resampler") as { default: Speex }
    await Speex.initPromise
    return Speex
  }).pipe(Effect.orDie)
  const idle = new Map<string, Array<Resampler>>()

  const acquire = (from: number, to: number): Resampler => {
    const known = idle.get(`${from}:${to}`)?.pop()
    if (known !== undefined) return known
    const instance = new Speex(1, from, to, QUALITY)
    const longerThanTheFilter = Buffer.alloc(2 * Math.ceil(from / 25))
    return {
      push: (pcm) => instance.processChunk(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)),
      clear: () => void instance.processChunk(longerThanTheFilter)
    }
  }

  const release = (from: number, to: number, resampler: Resampler) => {
    resampler.clear()
    idle.set(`${from}:${to}`, [...(idle.get(`${from}:${to}`) ?? []), resampler])
  }

  return (from, to) =>
    from === to
      ? Effect.succeed(passThrough)
      : Effect.acquireRelease(
          Effect.sync(() => acquire(from, to)),
          (resampler) => Effect.sync(() => release(from, to, resampler))
        )
})
