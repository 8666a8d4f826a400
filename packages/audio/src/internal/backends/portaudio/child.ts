/**
 * The process that holds PortAudio, for one direction of one device. A driver that hangs, crashes or cannot be closed takes
 * this process with it and nothing else.
 *
 * Standard input brings sound and orders, file descriptor 3 takes sound and words. It ends when standard input does, which
 * is also what happens when its parent is killed. It never exits politely: with a lost device that takes for ever.
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
  SOUND,
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

const say = (word: Report, then?: () => void) => parent.write(encodeJson(word), then)
const fail = (missing: boolean, error: unknown): void => {
  say({ is: "failed", missing, message: error instanceof Error ? error.message : String(error) }, die)
}

/** The stream must not be collected while it is open: that crashes. */
const open: Array<unknown> = []

const load = (): Naudiodon => {
  // naudiodon installs a handler for crashes that writes files into the current folder and is one more native module
  const loader = Module as unknown as { _load: (name: string, ...rest: ReadonlyArray<unknown>) => unknown }
  const original = loader._load
  loader._load = (name, ...rest) => (name === "segfault-handler" ? { registerHandler() {} } : original(name, ...rest))
  try {
    return createRequire(import.meta.url)(task.module) as Naudiodon
  } catch (error) {
    // a module of the application's own choice is found from there
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error
    return createRequire(join(process.cwd(), "package.json"))(task.module) as Naudiodon
  }
}

const devices = (audio: Naudiodon): void => {
  const { HostAPIs, defaultHostAPI } = audio.getHostAPIs()
  const host = HostAPIs.find(({ id }) => id === defaultHostAPI)
  say({
    is: "devices",
    devices: audio
      .getDevices()
      .map(({ defaultSampleRate, hostAPIName, id, maxInputChannels, maxOutputChannels, name }) => ({
        id,
        name,
        maxInputChannels,
        maxOutputChannels,
        defaultSampleRate,
        hostAPIName,
        isDefaultInput: id === host?.defaultInput,
        isDefaultOutput: id === host?.defaultOutput
      }))
  })
}

/** Opens the device as wanted, or at its own rate, or with two channels: hardware may refuse any of these. */
const openDevice = (audio: Naudiodon, direction: "inOptions" | "outOptions") => {
  const info = audio.getDevices().find(({ id }) => id === task.device)
  if (info === undefined) throw new Error("the device is gone")
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
  say({ is: "ready", sampleRate, channels })
  let lost = 0
  stream.on("data", (pcm: Buffer) => {
    if (parent.writableLength > task.capacity) {
      lost += pcm.length / (2 * channels)
      return
    }
    if (lost > 0) say({ is: "lost", samples: lost })
    parent.write(encode(SOUND, pcm))
  })
}

// Reports: every fifth frame while there is something to hear, else as a sign of life.
const REPORT_EVERY = 5
const IDLE_EVERY = 20

const output = (audio: Naudiodon): void => {
  const { channels, latency, samples, sampleRate, stream } = openDevice(audio, "outOptions")
  const frameSize = channels * 2
  // frames between us and the ear: one being written, two in the queues of the binding, and what the device holds
  const inFlight = 3 + Math.ceil((latency * sampleRate) / samples)
  const sounding: Array<number> = [] // samples of sound in the frames in flight
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
    sounding.push(filled / frameSize)
    if (sounding.length > inFlight) sounding.shift()
    return frame
  }

  const pump = (): void => {
    const waiting = sounding.reduce((sum, samples) => sum + samples, 0)
    if (frames++ % (queue.length > 0 || waiting > 0 ? REPORT_EVERY : IDLE_EVERY) === 0) {
      say({ is: "at", samples: given - waiting })
    }
    stream.write(take() as never, (error: unknown) => (error ? fail(false, error) : pump()))
  }

  const decoder = new Decoder()
  process.stdin.on("data", (bytes: Buffer) =>
    decoder.push(bytes, (type, payload) => {
      if (type === SOUND) return void queue.push(payload)
      const order = JSON.parse(Buffer.from(payload).toString()) as Command
      if (order.do === "flush") {
        say({ is: "flushed", samples: given })
        queue = []
        sounding.length = 0
        given = 0
      }
    })
  )
  say({ is: "ready", sampleRate, channels })
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
