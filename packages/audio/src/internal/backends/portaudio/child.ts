/**
 * The process that holds PortAudio, for one direction of one device. A driver that hangs, crashes or cannot be closed takes
 * this process with it and nothing else.
 *
 * Audio and commands arrive on standard input; audio and reports leave through file descriptor 3. The process ends with its
 * standard input, so also when its parent is killed. It kills itself, because an orderly exit hangs when the device is lost.
 */
import Module, { createRequire } from "node:module"
import { Socket } from "node:net"
import { join } from "node:path"
import {
  Decoder,
  type DeviceInfo,
  encode,
  encodeJson,
  type Command,
  AUDIO,
  type Task,
  type Report
} from "./protocol.ts"

interface Naudiodon {
  readonly SampleFormat16Bit: number
  readonly getDevices: () => ReadonlyArray<
    Omit<DeviceInfo, "isDefaultInput" | "isDefaultOutput"> & { readonly defaultLowOutputLatency: number }
  >
  readonly getHostAPIs: () => {
    readonly defaultHostAPI: number
    readonly HostAPIs: ReadonlyArray<{
      readonly id: number
      readonly defaultInput: number
      readonly defaultOutput: number
    }>
  }
  readonly AudioIO: (options: object) => NodeJS.ReadableStream & NodeJS.WritableStream & { readonly start: () => void }
}

const task = JSON.parse(process.argv[2]!) as Task
const parent = new Socket({ fd: 3, readable: false, writable: true })
const die = () => process.kill(process.pid, "SIGKILL")
parent.on("error", die)
process.stdin.on("end", die).on("error", die).on("close", die)

const send = (report: Report, then?: () => void) => parent.write(encodeJson(report), then)
const fail = (missing: boolean, error: unknown): void => {
  send({ is: "failed", missing, message: error instanceof Error ? error.message : String(error) }, die)
}

/** Keeps the stream from being garbage-collected while it is open, which would crash. */
const open: Array<unknown> = []

const load = (): Naudiodon => {
  // naudiodon loads one more native module, which writes files into the current folder on a crash
  const loader = Module as unknown as { _load: (name: string, ...rest: ReadonlyArray<unknown>) => unknown }
  const original = loader._load
  loader._load = (name, ...rest) => (name === "segfault-handler" ? { registerHandler() {} } : original(name, ...rest))
  try {
    return createRequire(import.meta.url)(task.module) as Naudiodon
  } catch (error) {
    // a module that the application chose is resolved from its folder
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error
    return createRequire(join(process.cwd(), "package.json"))(task.module) as Naudiodon
  }
}

const devices = (audio: Naudiodon): void => {
  const { HostAPIs, defaultHostAPI } = audio.getHostAPIs()
  const host = HostAPIs.find(({ id }) => id === defaultHostAPI)
  send({
    is: "devices",
    devices: audio.getDevices().map((device) => ({
      ...device,
      isDefaultInput: device.id === host?.defaultInput,
      isDefaultOutput: device.id === host?.defaultOutput
    }))
  })
}

/** Opens the device as requested, or at its own rate, or with two channels: hardware may refuse any of these. */
const openDevice = (audio: Naudiodon, direction: "inOptions" | "outOptions") => {
  const info = audio.getDevices().find(({ id }) => id === task.device)
  if (info === undefined) throw new Error("it is no longer connected")
  let refused: unknown
  for (const channels of task.channels === 2 ? [2, 1] : [1, 2]) {
    for (const sampleRate of new Set([task.sampleRate, info.defaultSampleRate, 48_000])) {
      const samples = Math.max(1, Math.round((task.frameMillis * sampleRate) / 1000))
      try {
        const stream = audio.AudioIO({
          [direction]: {
            deviceId: task.device,
            sampleRate,
            channelCount: channels,
            sampleFormat: audio.SampleFormat16Bit,
            framesPerBuffer: samples,
            highwaterMark: samples * channels * 2,
            maxQueue: direction === "inOptions" ? 4 : 1,
            closeOnError: false
          }
        })
        open.push(stream)
        stream.start()
        return { stream, sampleRate, channels, samples, latency: info.defaultLowOutputLatency }
      } catch (error) {
        refused ??= error
      }
    }
  }
  throw refused
}

const input = (audio: Naudiodon): void => {
  const { channels, sampleRate, stream } = openDevice(audio, "inOptions")
  send({ is: "ready", sampleRate, channels })
  let lost = 0
  stream.on("data", (pcm: Buffer) => {
    if (parent.writableLength > task.capacity) {
      lost += pcm.length / (2 * channels)
      return
    }
    if (lost > 0) send({ is: "lost", samples: lost })
    parent.write(encode(AUDIO, pcm))
  })
}

// How often the position is reported: while something is audible, and as a sign of life while nothing is.
const FRAMES_PER_REPORT = 5
const IDLE_FRAMES_PER_REPORT = 20

const output = (audio: Naudiodon): void => {
  const { channels, latency, samples, sampleRate, stream } = openDevice(audio, "outOptions")
  const frameSize = channels * 2
  // frames that are written and not heard yet: one being written, two in the queues of the binding, and those in the device
  const inFlight = 3 + Math.ceil((latency * sampleRate) / samples)
  const pending: Array<number> = [] // samples of audio in each frame in flight
  let queue: Array<Uint8Array> = []
  let given = 0
  let frames = 0

  const take = (): Uint8Array => {
    const frame = new Uint8Array(samples * frameSize)
    let filled = 0
    while (filled < frame.length && queue.length > 0) {
      const part = queue[0]!.subarray(0, frame.length - filled)
      frame.set(part, filled)
      filled += part.length
      const rest = queue[0]!.subarray(part.length)
      if (rest.length === 0) queue.shift()
      else queue[0] = rest
    }
    given += filled / frameSize
    pending.push(filled / frameSize)
    if (pending.length > inFlight) pending.shift()
    return frame
  }

  const pump = (): void => {
    const waiting = pending.reduce((sum, samples) => sum + samples, 0)
    if (frames++ % (queue.length > 0 || waiting > 0 ? FRAMES_PER_REPORT : IDLE_FRAMES_PER_REPORT) === 0) {
      send({ is: "at", samples: given - waiting })
    }
    stream.write(take() as never, (error: unknown) => (error ? fail(false, error) : pump()))
  }

  const decoder = new Decoder()
  process.stdin.on("data", (bytes: Buffer) =>
    decoder.push(bytes, (type, payload) => {
      if (type === AUDIO) return void queue.push(payload)
      const command = JSON.parse(Buffer.from(payload).toString()) as Command
      if (command.do === "flush") {
        send({ is: "flushed", samples: given })
        queue = []
        pending.length = 0
        given = 0
      }
    })
  )
  send({ is: "ready", sampleRate, channels })
  pump()
}

process.stdin.resume()
let audio: Naudiodon | undefined
try {
  audio = load()
} catch (error) {
  fail(true, error)
}
if (audio !== undefined) {
  try {
    ;({ devices, input, output })[task.do](audio)
  } catch (error) {
    fail(false, error)
  }
}
