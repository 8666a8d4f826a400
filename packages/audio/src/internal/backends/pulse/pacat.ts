/**
 * A speaker through `pacat`.
 *
 * Everything is written to it as it comes; it takes as much as the server wants. Silence is the end of the process: the
 * server forgets at once what it held, and a new process is ready for the next reply before that comes. `pacat -v` tells
 * every 50 ms what has been heard, by the server's own clock.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AudioDevice } from "../../../AudioDevice.ts"
import { type AudioError, deviceFailed } from "../../../AudioError.ts"
import type { Request, Speaker } from "../../device/backend.ts"
import { type Child, start } from "../../process/child.ts"
import { DeviceClock } from "../../playback/deviceClock.ts"
import { watch } from "../../device/watchdog.ts"
import { missing } from "./server.ts"
import { stream } from "./arguments.ts"

// After an underrun the server waits for 10 ms of sound before it goes on: a shorter rest would wait for ever, and
// sound before the next reply. It is filled up with silence.
const STUCK_REPORTS = 3
const FILL_MILLIS = 40

// Frames in the server's buffer. What is in it is gone with the process; with less, a busy machine makes holes.
const BUFFER_FRAMES = 10

const TIME = /Time: (\d+\.\d+) sec/g

class Process {
  readonly child: Child
  private readonly clock: DeviceClock
  private readonly request: Request
  private readonly frameSize: number
  private written = 0
  // silence that was put behind what was written: how much in all, and where the last of it begins
  private filled = 0
  private filling = { at: 0, from: 0, before: 0 }
  private still = 0
  private last = -1

  constructor(device: AudioDevice, request: Request, onText: (text: string, process: Process) => void) {
    this.request = request
    this.frameSize = request.channels * 2
    this.clock = new DeviceClock(request.sampleRate)
    this.child = start(
      "pacat",
      ["--playback", "--verbose", ...stream(device, request, BUFFER_FRAMES * request.frameMillis)],
      {
        stdio: ["pipe", "ignore", "pipe"],
        onError: (text) => {
          this.read(text)
          onText(text, this)
        }
      }
    )
  }

  write(pcm: Uint8Array): void {
    this.written += pcm.length / this.frameSize
    this.child.process.stdin!.write(pcm)
  }

  position(): number {
    return this.clock.at(performance.now(), this.written)
  }

  private read(text: string): void {
    const seconds = Array.from(text.matchAll(TIME)).at(-1)?.[1]
    if (seconds === undefined) return
    const samples = Math.round(Number(seconds) * this.request.sampleRate)
    // the fillings are not part of what was given to us
    const { at, before, from } = this.filling
    const position = samples < from ? samples - before : Math.max(at, samples - this.filled)
    this.clock.report(position, performance.now())
    this.still = samples === this.last && position < this.written ? this.still + 1 : 0
    this.last = samples
    if (this.still >= STUCK_REPORTS && this.filling.at !== this.written) this.fill()
  }

  private fill(): void {
    const samples = Math.ceil((FILL_MILLIS * this.request.sampleRate) / 1000)
    this.filling = { at: this.written, from: this.written + this.filled, before: this.filled }
    this.filled += samples
    this.still = 0
    this.child.process.stdin!.write(new Uint8Array(samples * this.frameSize))
  }
}

/** Opens it, and waits until the server has taken the stream. */
export const open = Effect.fnUntraced(function* (device: AudioDevice, request: Request) {
  const lost = yield* Deferred.make<never, AudioError>()
  const ready = yield* Deferred.make<void>()
  const context = yield* Effect.context<never>()
  let reports = 0

  const launch = () => {
    const process = new Process(device, request, (text, process) => {
      if (process !== current) return
      reports++
      if (text.includes("Stream successfully created")) Deferred.doneUnsafe(ready, Exit.void)
    })
    Effect.runForkWith(context)(
      Effect.map(Deferred.await(process.child.ended), (end) => {
        if (process !== current) return
        const error = end.missing ? missing("pacat", end) : deviceFailed("output", device.description, end.words)
        Deferred.doneUnsafe(lost, Exit.fail(error))
      })
    )
    return process
  }

  let current: Process | undefined
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      current = launch()
    }),
    () =>
      Effect.sync(() => {
        current?.child.kill()
        current = undefined
      })
  )
  const silent = () => deviceFailed("output", device.description, "the sound server does not answer any more")
  const unready = deviceFailed("output", device.description, "the sound server does not take the stream")
  yield* Effect.raceFirst(Deferred.await(ready), Deferred.await(lost)).pipe(
    Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.fail(unready) })
  )

  return {
    format: request,
    write: (pcm) => current?.write(pcm),
    position: () => current?.position() ?? 0,
    cut: Effect.sync(() => {
      const before = current
      if (before === undefined) return 0
      const position = before.position()
      before.child.kill()
      current = launch()
      return position
    }),
    done: Effect.raceFirst(
      Deferred.await(lost),
      watch(() => reports, silent)
    )
  } satisfies Speaker
})
