/**
 * The speaker as an output of a conversation.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { AudioStream } from "@effect-bidi/core/BidiEvent"
import * as BidiOutput from "@effect-bidi/core/BidiOutput"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AudioError } from "../AudioError.ts"
import type { Pcm, Speaker } from "./backend.ts"
import * as Codec from "./codec.ts"
import { debugLine } from "./debugLine.ts"
import { keep } from "./keep.ts"
import { Reference } from "./reference.ts"
import { Playlist } from "./playlist.ts"
import * as Resampler from "./resampler.ts"
import { mix } from "./samples.ts"
import * as Studio from "./studio.ts"

const FRAME_MILLIS = 10

const refused = Metric.counter("bidi_audio_output_refused", {
  description: "Frames of the agent's speech that did not fit into the speaker's buffer",
  incremental: true
})

export const make = (studio: Studio.Studio): BidiOutput.BidiOutput<AudioError, CurrentConversation> =>
  BidiOutput.speaker("speaker", open(studio))

/** How what waits is written down, for a device of that format. */
interface Sheet {
  readonly format: Pcm
  readonly resampler: Resampler.Resampler
  readonly playlist: Playlist
}

const open = Effect.fnUntraced(function* (studio: Studio.Studio) {
  const { backend, counts, settings } = studio
  const { model } = yield* CurrentConversation
  const format = model.output
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const decode = Codec.decoder(format)
  const frameSize = Audio.frameSize(format)
  const frameMillis =
    settings.outputFrame === undefined ? FRAME_MILLIS : (settings.outputFrame * 1000) / format.sampleRate

  // one at a time: silence, pause, and a device that comes back
  const one = yield* Semaphore.make(1)
  const first = yield* Deferred.make<void, AudioError>()
  const failure = yield* Deferred.make<never, AudioError>()

  let sheet: Sheet | undefined
  let device: Speaker | undefined
  let paused = false
  const samples = new Audio.WholeSamples(format) // of the item that sounds
  let sounding: string | undefined
  let cutting: Array<AudioStream> | undefined // frames that came while the device was being silenced
  let reference = new Reference(format.sampleRate)

  const log = yield* debugLine
  const seconds = (moments: number) => `${(moments / format.sampleRate).toFixed(2)} s`

  const position = () => device?.position() ?? 0

  const play = (frame: AudioStream): void => {
    if (cutting !== undefined) return void cutting.push(frame)
    try {
      put(frame)
    } catch (defect) {
      Deferred.doneUnsafe(failure, Exit.die(defect)) // whoever plays is not who failed
    }
  }

  const put = (frame: AudioStream): void => {
    if (sheet === undefined) return
    const first = frame.itemId !== sounding
    if (first) {
      sounding = frame.itemId
      samples.clear()
    }
    const audio = samples.push(frame.audio)
    if (audio.length === 0) return
    const moments = audio.length / frameSize
    const { playlist } = sheet
    const waiting = playlist.waiting(position())
    if (((waiting + moments) * 1000) / format.sampleRate > settings.outputBuffer) {
      counts.refused += moments
      if (log !== undefined) log(`speaker: overrun, ${seconds(moments)} of speech did not fit into its buffer`)
      return refused.updateUnsafe(1, context)
    }
    if (log !== undefined && !first && waiting === 0 && !paused) log("speaker: underrun, it has played all it had")
    counts.produced += moments
    const pcm = mix(sheet.resampler.push(decode(audio)), 1, sheet.format.channels)
    playlist.add(pcm, moments)
    if (device !== undefined && !paused && pcm.length > 0) device.write(pcm)
  }

  /** Stops the device at once; `keepRest` says whether what was not heard is to be heard later. */
  const stop = Effect.fnUntraced(function* (keepRest: boolean) {
    if (sheet === undefined) return
    const { playlist } = sheet
    cutting = []
    const reached = device === undefined || paused ? 0 : yield* device.cut
    if (keepRest) {
      playlist.resume(reached)
    } else {
      if (log !== undefined) log(`speaker: flushed, ${seconds(playlist.waiting(reached))} of speech dropped`)
      playlist.cut(reached)
      sheet.resampler.clear()
      samples.clear()
    }
    reference.clear()
    const late = cutting
    cutting = undefined
    for (const frame of late) play(frame)
  })

  const go = () => {
    if (device === undefined || sheet === undefined || paused) return
    for (const pcm of sheet.playlist.resume(0)) device.write(pcm)
  }

  const sheetFor = Effect.fnUntraced(function* (wanted: Pcm) {
    if (sheet?.format.sampleRate === wanted.sampleRate && sheet.format.channels === wanted.channels) return sheet
    const resampler = yield* Effect.provideService(
      Resampler.make(format.sampleRate, wanted.sampleRate),
      Scope.Scope,
      scope
    )
    const { channels, sampleRate } = wanted
    return { format: { channels, sampleRate }, resampler, playlist: new Playlist(2 * channels) }
  })

  const keeping = keep<Speaker & { readonly device: string }>({
    open: Effect.fnUntraced(function* () {
      const found = yield* Studio.device(studio, "output")
      const request = { sampleRate: settings.deviceRate ?? format.sampleRate, channels: 1, frameMillis }
      return { ...(yield* backend.speaker(found, request)), device: Studio.describe(found) }
    }),
    schedule: settings.reopen,
    onOpen: Effect.fnUntraced(function* (opened, again) {
      sheet = yield* sheetFor(opened.format)
      device = opened
      reference = new Reference(opened.format.sampleRate)
      go() // the rest of a reply that was cut off by the loss
      Deferred.doneUnsafe(first, Exit.void)
      const { sampleRate } = opened.format
      yield* Studio.opened(studio, {
        _tag: "DeviceOpened",
        direction: "output",
        device: opened.device,
        sampleRate,
        again
      })
    }, one.withPermit),
    onLost: Effect.fnUntraced(function* ({ message }, gone) {
      if (!paused) sheet?.playlist.resume(gone.position())
      device = undefined
      yield* Studio.lost(studio, "output", gone.device, message)
    }, one.withPermit)
  })
  yield* keeping.pipe(
    Effect.catch((error) =>
      Effect.sync(() => {
        Deferred.doneUnsafe(first, Exit.fail(error))
        Deferred.doneUnsafe(failure, Exit.fail(error))
      })
    ),
    Effect.forkScoped
  )
  yield* Deferred.await(first)

  const audible = () => (sheet?.playlist.waiting(position()) ?? 0) > 0

  const playing: Studio.Playing = {
    audible: () => !paused && audible(),
    ahead: (millis) => {
      const sampleRate = sheet?.format.sampleRate ?? format.sampleRate
      const moments = Math.round((millis * sampleRate) / 1000)
      const pcm = new Uint8Array(moments * 2)
      if (sheet === undefined || paused || !audible()) {
        reference.clear()
        return { pcm, sampleRate }
      }
      const from = reference.next(position(), moments)
      pcm.set(mix(sheet.playlist.from(from, moments), sheet.format.channels, 1))
      return { pcm, sampleRate }
    },
    recent: () => {
      if (sheet === undefined || paused || !audible()) return new Uint8Array(0)
      const tenth = sheet.format.sampleRate / 10
      return sheet.playlist.from(Math.max(0, position() - tenth), tenth)
    }
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      studio.playing = playing
    }),
    () =>
      Effect.sync(() => {
        if (studio.playing === playing) studio.playing = undefined
      })
  )

  return {
    play,
    flush: one.withPermit(Effect.suspend(() => stop(false))),
    played: () => Duration.millis(((sheet?.playlist.played(position()) ?? 0) * 1000) / format.sampleRate),
    pause: one.withPermit(
      Effect.suspend(() => {
        if (paused) return Effect.void
        return Effect.andThen(
          stop(true),
          Effect.sync(() => {
            paused = true
            log?.("speaker: paused")
          })
        )
      })
    ),
    resume: one.withPermit(
      Effect.sync(() => {
        if (!paused) return
        paused = false
        log?.("speaker: goes on")
        go()
      })
    ),
    failure: Deferred.await(failure)
  } satisfies BidiOutput.Speaker<AudioError>
})
