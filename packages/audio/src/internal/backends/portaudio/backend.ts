/**
 * PortAudio through `naudiodon`, in a process of its own for each direction: in ours it could hang us for good.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type AudioDevice, find } from "../../../AudioDevice.ts"
import { type AudioError, deviceFailed, type Direction } from "../../../AudioError.ts"
import type { Backend, Microphone, Pcm, Request, Speaker } from "../../device/backend.ts"
import { DeviceClock } from "../../playback/deviceClock.ts"
import { watch } from "../../device/watchdog.ts"
import { BACKEND, start } from "./process.ts"
import type { DeviceInfo, Task } from "./protocol.ts"

const NOT_RESPONDING = "it gives no sign of life any more"
const OPEN_TIMEOUT = "5 seconds"

// Larger than any pause of a healthy program, smaller than anybody would want to hear late.
const BUFFER_MILLIS = 5000

// The acknowledgement of a flush takes half a millisecond; a child that does not answer is about to be replaced.
const FLUSH_TIMEOUT = "200 millis"

const task = (
  module: string,
  what: Task["do"],
  device = -1,
  request: Request = { sampleRate: 48_000, channels: 1, frameMillis: 10 }
): Task => ({
  do: what,
  module,
  device,
  sampleRate: request.sampleRate,
  channels: request.channels,
  frameMillis: request.frameMillis,
  capacity: (BUFFER_MILLIS * request.sampleRate * request.channels * 2) / 1000
})

const toDevices = (info: DeviceInfo): ReadonlyArray<AudioDevice> => {
  const one = (direction: Direction, channels: number, isDefault: boolean): ReadonlyArray<AudioDevice> =>
    channels === 0
      ? []
      : [
          {
            index: info.id,
            name: info.name,
            description: `${info.name} (${info.hostAPIName})`,
            direction,
            channels,
            sampleRate: info.defaultSampleRate,
            isDefault
          }
        ]
  return [
    ...one("input", info.maxInputChannels, info.isDefaultInput),
    ...one("output", info.maxOutputChannels, info.isDefaultOutput)
  ]
}

/** What PortAudio sees. */
const devicesOf = (module: string): Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<ReadonlyArray<DeviceInfo>>()
    const failed = (words: string) => deviceFailed("input", BACKEND, words)
    const { ended } = yield* start(task(module, "devices"), {
      failed,
      onWord: (word) => {
        if (word.is === "devices") Deferred.doneUnsafe(answer, Exit.succeed(word.devices))
      }
    })
    const devices = yield* Effect.raceFirst(Deferred.await(answer), ended).pipe(
      Effect.timeoutOrElse({
        duration: OPEN_TIMEOUT,
        orElse: () => Effect.fail(failed("PortAudio does not answer when it is asked for its devices"))
      })
    )
    // microphones first, as everywhere
    const all = devices.flatMap(toDevices)
    return [...all.filter((one) => one.direction === "input"), ...all.filter((one) => one.direction === "output")]
  }).pipe(Effect.scoped)

const microphone = (module: string): Backend["microphone"] =>
  Effect.fnUntraced(function* (device, request, onSound) {
    const ready = yield* Deferred.make<Pcm>()
    const failed = (words: string) => deviceFailed("input", device.description, words)
    let pieces = 0
    let lost = 0
    const { ended } = yield* start(task(module, "input", device.index, request), {
      failed,
      onSound: (pcm) => {
        pieces++
        onSound(pcm)
      },
      onWord: (word) => {
        if (word.is === "ready") Deferred.doneUnsafe(ready, Exit.succeed(word))
        if (word.is === "lost") lost = word.samples
      }
    })
    const format = yield* opened(ready, ended, failed)
    return {
      format,
      done: Effect.raceFirst(
        ended,
        watch(
          () => pieces,
          () => failed(NOT_RESPONDING)
        )
      ),
      lost: () => lost
    } satisfies Microphone
  })

const speaker = (module: string): Backend["speaker"] =>
  Effect.fnUntraced(function* (device, request) {
    const ready = yield* Deferred.make<Pcm>()
    const failed = (words: string) => deviceFailed("output", device.description, words)
    let words = 0
    let written = 0
    let clock = new DeviceClock(request.sampleRate)
    let flushing: Deferred.Deferred<number> | undefined
    const { ended, send, write } = yield* start(task(module, "output", device.index, request), {
      failed,
      onWord: (word) => {
        words++
        if (word.is === "ready") Deferred.doneUnsafe(ready, Exit.succeed(word))
        if (word.is === "at" && flushing === undefined) clock.report(word.samples, performance.now())
        if (word.is === "flushed" && flushing !== undefined) Deferred.doneUnsafe(flushing, Exit.succeed(word.samples))
      }
    })
    const format = yield* opened(ready, ended, failed)
    clock = new DeviceClock(format.sampleRate)
    const frameSize = format.channels * 2
    const position = () => clock.at(performance.now(), written)

    const cut = Effect.gen(function* () {
      const answer = yield* Deferred.make<number>()
      const estimate = position()
      flushing = answer
      send({ do: "flush" })
      written = 0
      const samples = yield* Effect.timeoutOrElse(Deferred.await(answer), {
        duration: FLUSH_TIMEOUT,
        orElse: () => Effect.succeed(estimate)
      })
      flushing = undefined
      clock = new DeviceClock(format.sampleRate)
      return samples
    })

    return {
      format,
      write: (pcm) => {
        written += pcm.length / frameSize
        write(pcm)
      },
      position,
      cut,
      done: Effect.raceFirst(
        ended,
        watch(
          () => words,
          () => failed(NOT_RESPONDING)
        )
      )
    } satisfies Speaker
  })

const opened = <A>(
  ready: Deferred.Deferred<A>,
  ended: Effect.Effect<never, AudioError>,
  failed: (words: string) => AudioError
) =>
  Effect.raceFirst(Deferred.await(ready), ended).pipe(
    Effect.timeoutOrElse({ duration: OPEN_TIMEOUT, orElse: () => Effect.fail(failed("it does not open")) })
  )

/** `module` is the package that binds PortAudio: `naudiodon`, or one with its interface. */
export const backend = (module: string): Backend => {
  const devices = devicesOf(module)
  return {
    name: BACKEND,
    devices,
    find: (direction, wanted) => Effect.flatMap(devices, (all) => Effect.fromResult(find(all, direction, wanted))),
    microphone: microphone(module),
    speaker: speaker(module)
  }
}
