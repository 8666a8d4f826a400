/**
 * The speaker as an output of a conversation.
 */
import * as BidiOutput from "@effect-bidi/core/BidiOutput"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AudioError } from "../../AudioError.ts"
import type { Pcm, Speaker } from "../backends/backend.ts"
import * as DeviceSession from "../session/deviceSession.ts"
import { debugLine } from "../session/debugLine.ts"
import { keepOpen } from "../session/keepOpen.ts"
import { type DeviceQueue, Player } from "./player.ts"
import { PlaybackQueue } from "./queue.ts"

const DEFAULT_FRAME_MILLIS = 10

const refused = Metric.counter("bidi_audio_output_refused", {
  description: "Frames of the agent's speech that did not fit into the speaker's buffer",
  incremental: true
})

export const make = (session: DeviceSession.DeviceSession): BidiOutput.BidiOutput<AudioError, CurrentConversation> =>
  BidiOutput.speaker("speaker", open(session))

const open = Effect.fnUntraced(function* (session: DeviceSession.DeviceSession) {
  const { backend, counts, makeResampler, settings } = session
  const { output: format } = (yield* CurrentConversation).model
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const frameMillis =
    settings.outputFrame === undefined ? DEFAULT_FRAME_MILLIS : (settings.outputFrame * 1000) / format.sampleRate

  const failure = yield* Deferred.make<never, AudioError>()

  const player = new Player({
    format,
    capacity: (settings.outputBuffer * format.sampleRate) / 1000,
    onFrame: (samples, accepted) => {
      if (accepted) counts.produced += samples
      else {
        counts.refused += samples
        refused.updateUnsafe(1, context)
      }
    },
    // a defect of the speaker is not one of whoever plays a frame
    onDefect: (defect) => Deferred.doneUnsafe(failure, Exit.die(defect)),
    log: yield* debugLine
  })

  // flushing, pausing, and attaching a device exclude each other
  const one = yield* Semaphore.make(1)
  const firstOpen = yield* Deferred.make<void, AudioError>()

  const queueFor = Effect.fnUntraced(function* ({ channels, sampleRate }: Pcm) {
    const resampler = yield* Scope.provide(makeResampler(format.sampleRate, sampleRate), scope)
    return {
      format: { channels, sampleRate },
      resampler,
      chunks: new PlaybackQueue(2 * channels)
    } satisfies DeviceQueue
  })

  yield* keepOpen<Speaker & { readonly device: string }>({
    open: Effect.gen(function* () {
      const found = yield* DeviceSession.device(session, "output")
      const request = { sampleRate: settings.deviceRate ?? format.sampleRate, channels: 1, frameMillis }
      return { ...(yield* backend.speaker(found, request)), device: DeviceSession.describe(found) }
    }),
    schedule: settings.reopen,
    onOpen: Effect.fnUntraced(function* (opened, again) {
      player.attach(opened, player.fits(opened.format) ? undefined : yield* queueFor(opened.format))
      Deferred.doneUnsafe(firstOpen, Exit.void)
      const { device } = opened
      const { sampleRate } = opened.format
      yield* DeviceSession.opened(session, { _tag: "DeviceOpened", direction: "output", device, sampleRate, again })
    }, one.withPermit),
    onLost: Effect.fnUntraced(function* ({ message }, { device }) {
      player.detach()
      yield* DeviceSession.lost(session, "output", device, message)
    }, one.withPermit)
  }).pipe(
    Effect.catch((error) =>
      Effect.sync(() => {
        Deferred.doneUnsafe(firstOpen, Exit.fail(error))
        Deferred.doneUnsafe(failure, Exit.fail(error))
      })
    ),
    Effect.forkScoped
  )
  yield* Deferred.await(firstOpen)

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (session.playback === player) session.playback = undefined
    })
  )
  session.playback = player

  return {
    play: (frame) => player.play(frame),
    flush: one.withPermit(player.flush),
    played: () => Duration.millis(player.played()),
    pause: one.withPermit(player.pause),
    resume: one.withPermit(player.resume),
    failure: Deferred.await(failure)
  } satisfies BidiOutput.Speaker<AudioError>
})
