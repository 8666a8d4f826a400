/**
 * A speaker through `pacat`.
 *
 * Audio is written to it as it arrives, and it passes on as much as the server accepts. To go silent, the process is killed:
 * the server drops its buffer at once, and a new process is ready before the next reply. `pacat --verbose` reports every 50 ms
 * what has been heard, by the clock of the server.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AudioDevice } from "../../../AudioDevice.ts"
import type { AudioError } from "../../../AudioError.ts"
import { deviceFailed } from "../../errors.ts"
import type { Request, Speaker } from "../backend.ts"
import { type Child, start } from "../child.ts"
import { DeviceClock } from "../deviceClock.ts"
import { watch } from "../watchdog.ts"
import { missing } from "./server.ts"
import { stream } from "./arguments.ts"

// After an underrun the server waits for 10 ms of audio before it continues, so a shorter rest would be stuck until the next
// reply. When the position stops moving, silence is appended.
const STUCK_REPORTS = 3
const PADDING_MILLIS = 40

// How many frames the server buffers. It drops them with the process; with fewer, a busy machine makes gaps.
const BUFFER_FRAMES = 10

const OPEN_TIMEOUT = "3 seconds"

const TIME = /Time: (\d+\.\d+) sec/g

class Process {
  readonly child: Child
  private readonly clock: DeviceClock
  private readonly request: Request
  private readonly frameSize: number
  private written = 0
  private padded = 0 // samples of silence appended in all
  // the last padding: the position in `written`, the position in the stream, and the padding before it
  private padding = { at: 0, from: 0, before: 0 }
  private unchangedReports = 0
  private lastReport = -1

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
    // padding does not count as written
    const { at, before, from } = this.padding
    const position = samples < from ? samples - before : Math.max(at, samples - this.padded)
    this.clock.report(position, performance.now())
    this.unchangedReports = samples === this.lastReport && position < this.written ? this.unchangedReports + 1 : 0
    this.lastReport = samples
    if (this.unchangedReports >= STUCK_REPORTS && this.padding.at !== this.written) this.pad()
  }

  private pad(): void {
    const samples = Math.ceil((PADDING_MILLIS * this.request.sampleRate) / 1000)
    this.padding = { at: this.written, from: this.written + this.padded, before: this.padded }
    this.padded += samples
    this.unchangedReports = 0
    this.child.process.stdin!.write(new Uint8Array(samples * this.frameSize))
  }
}

/** Opens the speaker, and waits until the server has accepted the stream. */
export const open = Effect.fnUntraced(function* (device: AudioDevice, request: Request) {
  const failed = (message: string) => deviceFailed("output", device.description, message)
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
        const error = end.missing ? missing("pacat", end) : failed(end.message)
        Deferred.doneUnsafe(lost, Exit.fail(error))
      })
    )
    return process
  }

  let current: Process | undefined
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      current?.child.kill()
      current = undefined
    })
  )
  current = launch()
  yield* Effect.raceFirst(Deferred.await(ready), Deferred.await(lost)).pipe(
    Effect.timeoutOrElse({
      duration: OPEN_TIMEOUT,
      orElse: () => Effect.fail(failed("the sound server did not accept the stream within 3 s"))
    })
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
      watch(() => reports, failed("the sound server does not respond any more"))
    )
  } satisfies Speaker
})
