/**
 * What passes between this process and the one that holds PortAudio: `[type: u8][length: u32le][payload]`, both ways.
 * Imports nothing: the child loads it too, and shall start fast.
 */

/** `sound` is PCM; `word` is JSON, of {@link Report} from the child and of {@link Command} to it. */
export const SOUND = 0
export const WORD = 1

/** What the child is started for; the one argument of its command line, as JSON. */
export interface Task {
  readonly do: "devices" | "input" | "output"
  /** The npm package that binds PortAudio. */
  readonly module: string
  readonly device: number
  readonly sampleRate: number
  readonly channels: number
  /** Milliseconds of sound at a time. */
  readonly frameMillis: number
  /** Bytes of sound that may wait for the parent; what comes beyond it is lost and counted. */
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

/** What the child says. */
export type Report =
  | { readonly is: "devices"; readonly devices: ReadonlyArray<DeviceInfo> }
  | { readonly is: "ready"; readonly sampleRate: number; readonly channels: number }
  /** Where the speaker is: samples that have been heard since it was opened or flushed. */
  | { readonly is: "at"; readonly samples: number }
  /** The queue is empty now; so much was given to the device before. */
  | { readonly is: "flushed"; readonly samples: number }
  /** Samples of the microphone that the parent did not take in time, in all. */
  | { readonly is: "lost"; readonly samples: number }
  /** `missing`: PortAudio cannot be loaded at all. */
  | { readonly is: "failed"; readonly missing: boolean; readonly message: string }

/** What the child is told. */
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

export const encodeJson = (json: Report | Command): Uint8Array => encode(WORD, Buffer.from(JSON.stringify(json)))

/** Messages come out whole, however the bytes come in. */
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
