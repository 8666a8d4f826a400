/**
 * The messages between this process and the child that holds PortAudio: `[type: u8][length: u32le][payload]`, both ways.
 * Imports nothing, so that the child starts fast.
 */

/** The types of messages: PCM; and JSON, a {@link Report} from the child or a {@link Command} to it. */
export const AUDIO = 0
export const JSON_TEXT = 1

/** The task of a child: the only argument of its command line, as JSON. */
export interface Task {
  readonly do: "devices" | "input" | "output"
  /** The npm package that binds PortAudio. */
  readonly module: string
  readonly device: number
  readonly sampleRate: number
  readonly channels: number
  /** How much audio a device takes or delivers at a time, in milliseconds. */
  readonly frameMillis: number
  /** How many bytes of audio may wait for the parent; beyond that, audio is dropped and counted. */
  readonly capacity: number
}

export interface DeviceInfo {
  readonly id: number
  readonly name: string
  readonly maxInputChannels: number
  readonly maxOutputChannels: number
  readonly defaultSampleRate: number
  readonly hostAPIName: string
  readonly isDefaultInput: boolean
  readonly isDefaultOutput: boolean
}

/** A message from the child. */
export type Report =
  | { readonly is: "devices"; readonly devices: ReadonlyArray<DeviceInfo> }
  | { readonly is: "ready"; readonly sampleRate: number; readonly channels: number }
  /** The position of the speaker: samples heard since it was opened or flushed. */
  | { readonly is: "at"; readonly samples: number }
  /** The queue was emptied; `samples` were given to the device before that. */
  | { readonly is: "flushed"; readonly samples: number }
  /** The total of samples from the microphone that the parent did not take in time. */
  | { readonly is: "lost"; readonly samples: number }
  /** `missing`: PortAudio cannot be loaded at all. */
  | { readonly is: "failed"; readonly missing: boolean; readonly message: string }

/** A message to the child. */
export interface Command {
  readonly do: "flush"
}

const HEADER = 5

export const encode = (type: number, payload: Uint8Array): Uint8Array => {
  const message = new Uint8Array(HEADER + payload.length)
  message[0] = type
  new DataView(message.buffer).setUint32(1, payload.length, true)
  message.set(payload, HEADER)
  return message
}

export const encodeJson = (json: Report | Command): Uint8Array => encode(JSON_TEXT, Buffer.from(JSON.stringify(json)))

/** Joins bytes, however they were cut, to whole messages. */
export class Decoder {
  private rest: Uint8Array = new Uint8Array(0)

  push(bytes: Uint8Array, onMessage: (type: number, payload: Uint8Array) => void): void {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    let at = 0
    while (all.length - at >= HEADER) {
      const length = new DataView(all.buffer, all.byteOffset + at + 1).getUint32(0, true)
      if (all.length - at < HEADER + length) break
      onMessage(all[at]!, all.slice(at + HEADER, at + HEADER + length))
      at += HEADER + length
    }
    this.rest = all.slice(at)
  }
}
