/**
 * Changes the sample rate of a stream, with state across its frames (`speex-resampler`, WebAssembly).
 */
import * as Effect from "effect/Effect"
import { createRequire } from "node:module"
import { withoutHandlers } from "./foreign.ts"

export interface Resampler {
  /** One channel in, one channel out. Answers what is ready: the filter holds back a millisecond or two. */
  readonly push: (pcm: Uint8Array) => Uint8Array
  /** Forgets what it holds back: what is pushed next does not begin with the end of what was before. */
  readonly clear: () => void
}

/** The class of the library, which is the `default` of a CommonJS module. */
interface Speex {
  new (channels: number, from: number, to: number, quality: number): { readonly processChunk: (pcm: Buffer) => Buffer }
  readonly initPromise: Promise<unknown>
}

const require = createRequire(import.meta.url)

/** 89 dB of signal to noise at the rates that speech is sampled with; more costs more and is not heard. */
const QUALITY = 5

const speex: Effect.Effect<Speex> = Effect.runSync(
  Effect.cached(
    withoutHandlers(async () => {
      const { default: Speex } = require("speex-resampler") as { default: Speex }
      await Speex.initPromise
      return Speex
    }).pipe(Effect.orDie)
  )
)

/** Loads the library, so that opening a device later waits for nothing. */
export const load: Effect.Effect<void> = Effect.asVoid(speex)

const same: Resampler = { push: (pcm) => pcm, clear: () => {} }

// The library cannot free an instance. One whose user has gone is used again.
const idle = new Map<string, Array<Resampler>>()

/** A resampler for one channel, for as long as the scope lives. Equal rates change nothing. */
export const make = Effect.fnUntraced(function* (from: number, to: number) {
  if (from === to) return same
  const Speex = yield* speex
  const key = `${from}:${to}`
  const acquire = Effect.sync((): Resampler => {
    const known = idle.get(key)?.pop()
    if (known !== undefined) return known
    const instance = new Speex(1, from, to, QUALITY)
    // longer than the filter
    const nothing = Buffer.alloc(2 * Math.ceil(from / 25))
    return {
      push: (pcm) => instance.processChunk(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)),
      clear: () => void instance.processChunk(nothing)
    }
  })
  return yield* Effect.acquireRelease(acquire, (resampler) =>
    Effect.sync(() => {
      resampler.clear()
      idle.set(key, [...(idle.get(key) ?? []), resampler])
    })
  )
})
