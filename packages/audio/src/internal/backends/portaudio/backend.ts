/**
 * PortAudio through `naudiodon`, in a process of its own for each direction, because it can hang its process for good.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type AudioDevice, find } from "../../../AudioDevice.ts"
import type { AudioError, Direction } from "../../../AudioError.ts"
import { deviceFailed } from "../../errors.ts"
import type { Backend, Microphone, Pcm, Request, Speaker } from "../backend.ts"
import { DeviceClock } from "../deviceClock.ts"
import { watch } from "../watchdog.ts"
import { BACKEND, start } from "./process.ts"
import type { DeviceInfo, Task } from "./protocol.ts"

const NOT_RESPONDING = "it does not respond any more"
const OPEN_TIMEOUT = "5 seconds"

// Longer than any pause of a healthy program, shorter than a delay that anybody would accept.
const BUFFER_MILLIS = 5000

// A child confirms a flush within half a millisecond; one that does not is about to be replaced.
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
  ...request,
  capacity: (BUFFER_MILLIS * request.sampleRate * request.channels * 2) / 1000
})

/** The devices of one direction; PortAudio lists a headset once. */
const devicesFor = (infos: ReadonlyArray<DeviceInfo>, direction: Direction): ReadonlyArray<AudioDevice> =>
  infos
    .map((info): AudioDevice => ({
      index: info.id,
      name: info.name,
      description: `${info.name} (${info.hostAPIName})`,
      direction,
      channels: direction === "input" ? info.maxInputChannels : info.maxOutputChannels,
      sampleRate: info.defaultSampleRate,
      isDefault: direction === "input" ? info.isDefaultInput : info.isDefaultOutput
    }))
    .filter(({ channels }) => channels > 0)

const devicesOf = (module: string): Effect.Effect<ReadonlyArray<AudioDevice>, AudioError> =>
  Effect.gen(function* () {
    const listed = yield* Deferred.make<ReadonlyArray<DeviceInfo>>()
    const failed = (message: string) => deviceFailed("input", BACKEND, message)
    const { ended } = yield* start(task(module, "devices"), {
      failed,
      onReport: (report) => {
        if (report.is === "devices") Deferred.doneUnsafe(listed, Exit.succeed(report.devices))
      }
    })
    const infos = yield* within(Deferred.await(listed), ended, failed("PortAudio did not list its devices within 5 s"))
    return [...devicesFor(infos, "input"), ...devicesFor(infos, "output")]
  }).pipe(Effect.scoped)

const microphone = (module: string): Backend["microphone"] =>
  Effect.fnUntraced(function* (device, request, onAudio) {
    const ready = yield* Deferred.make<Pcm>()
    const failed = (message: string) => deviceFailed("input", device.description, message)
    let pieces = 0
    let lost = 0
    const { ended } = yield* start(task(module, "input", device.index, request), {
      failed,
      onAudio: (pcm) => {
        pieces++
        onAudio(pcm)
      },
      onReport: (report) => {
        if (report.is === "ready") Deferred.doneUnsafe(ready, Exit.succeed(report))
        if (report.is === "lost") lost = report.samples
      }
    })
    return {
      format: yield* within(Deferred.await(ready), ended, failed("it did not open within 5 s")),
      done: Effect.raceFirst(
        ended,
        watch(() => pieces, failed(NOT_RESPONDING))
      ),
      lost: () => lost
    } satisfies Microphone
  })

const speaker = (module: string): Backend["speaker"] =>
  Effect.fnUntraced(function* (device, request) {
    const ready = yield* Deferred.make<Pcm>()
    const failed = (message: string) => deviceFailed("output", device.description, message)
    let reports = 0
    let written = 0
    let clock = new DeviceClock(request.sampleRate)
    let flushing: Deferred.Deferred<number> | undefined
    const { ended, send, write } = yield* start(task(module, "output", device.index, request), {
      failed,
      onReport: (report) => {
        reports++
        if (report.is === "ready") Deferred.doneUnsafe(ready, Exit.succeed(report))
        if (report.is === "at" && flushing === undefined) clock.report(report.samples, performance.now())
        if (report.is === "flushed" && flushing !== undefined) {
          Deferred.doneUnsafe(flushing, Exit.succeed(report.samples))
        }
      }
    })
    const format = yield* within(Deferred.await(ready), ended, failed("it did not open within 5 s"))
    clock = new DeviceClock(format.sampleRate)
    const frameSize = format.channels * 2
    const position = () => clock.at(performance.now(), written)

    const cut = Effect.gen(function* () {
      const estimate = position()
      flushing = yield* Deferred.make<number>()
      send({ do: "flush" })
      written = 0
      const samples = yield* Effect.timeoutOrElse(Deferred.await(flushing), {
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
        watch(() => reports, failed(NOT_RESPONDING))
      )
    } satisfies Speaker
  })

/** Waits for what a child reports first, unless it ends or takes too long. */
const within = <A>(first: Effect.Effect<A>, ended: Effect.Effect<never, AudioError>, late: AudioError) =>
  Effect.raceFirst(first, ended).pipe(Effect.timeoutOrElse({ duration: OPEN_TIMEOUT, orElse: () => Effect.fail(late) }))

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
