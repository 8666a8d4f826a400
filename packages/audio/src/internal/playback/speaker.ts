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
import type { Pcm, Speaker } from "../device/backend.ts"
import * as Channel from "../device/channel.ts"
import { debugLine } from "../device/debugLine.ts"
import { keepOpen } from "../device/keepOpen.ts"
import { type DeviceQueue, Player } from "./player.ts"
import { PlaybackQueue } from "./queue.ts"

const DEFAULT_FRAME_MILLIS = 10

const refused = Metric.counter("bidi_audio_output_refused", {
  description: "Frames of the agent's speech that did not fit into the speaker's buffer",
  incremental: true
})

export const make = (channel: Channel.Channel): BidiOutput.BidiOutput<AudioError, CurrentConversation> =>
  BidiOutput.speaker("speaker", open(channel))

const open = Effect.fnUntraced(function* (channel: Channel.Channel) {
  const { backend, counts, makeResampler, settings } = channel
  const { output: format } = (yield* CurrentConversation).model
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const frameMillis =
    settings.outputFrame === undefined ? DEFAULT_FRAME_MILLIS : (settings.outputFrame * 1000) / format.sampleRate

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
    log: yield* debugLine
  })

  // one at a time: silencing, pausing, and a device that comes back
  const one = yield* Semaphore.make(1)
  const first = yield* Deferred.make<void, AudioError>()
  const failure = yield* Deferred.make<never, AudioError>()

  const queueFor = Effect.fnUntraced(function* ({ channels, sampleRate }: Pcm) {
    const resampler = yield* Scope.provide(makeResampler(format.sampleRate, sampleRate), scope)
    return {
      format: { channels, sampleRate },
      resampler,
      chunks: new PlaybackQueue(2 * channels)
    } satisfies DeviceQueue
  })

  yield* keepOpen<Speaker & { readonly device: string }>({
    open: Effect.fnUntraced(function* () {
      const found = yield* Channel.device(channel, "output")
      const request = { sampleRate: settings.deviceRate ?? format.sampleRate, channels: 1, frameMillis }
      return { ...(yield* backend.speaker(found, request)), device: Channel.describe(found) }
    }),
    schedule: settings.reopen,
    onOpen: Effect.fnUntraced(function* (opened, again) {
      player.attach(opened, player.fits(opened.format) ? undefined : yield* queueFor(opened.format))
      Deferred.doneUnsafe(first, Exit.void)
      const { device } = opened
      const { sampleRate } = opened.format
      yield* Channel.opened(channel, { _tag: "DeviceOpened", direction: "output", device, sampleRate, again })
    }, one.withPermit),
    onLost: Effect.fnUntraced(function* ({ message }, { device }) {
      player.detach()
      yield* Channel.lost(channel, "output", device, message)
    }, one.withPermit)
  }).pipe(
    Effect.catch((error) =>
      Effect.sync(() => {
        Deferred.doneUnsafe(first, Exit.fail(error))
        Deferred.doneUnsafe(failure, Exit.fail(error))
      })
    ),
    Effect.forkScoped
  )
  yield* Deferred.await(first)

  yield* Effect.acquireRelease(
    Effect.sync(() => {
      channel.playback = player
    }),
    () =>
      Effect.sync(() => {
        if (channel.playback === player) channel.playback = undefined
      })
  )

  return {
    play: (frame) => {
      try {
        player.play(frame)
      } catch (defect) {
        Deferred.doneUnsafe(failure, Exit.die(defect)) // a defect of the speaker, not of the caller
      }
    },
    flush: one.withPermit(player.flush),
    played: () => Duration.millis(player.played()),
    pause: one.withPermit(player.pause),
    resume: one.withPermit(player.resume),
    failure: Deferred.await(failure)
  } satisfies BidiOutput.Speaker<AudioError>
})
