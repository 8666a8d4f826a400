/**
 * Microphones and speakers.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { AudioError, DeviceNotFound, type Direction } from "./AudioError.ts"

/**
 * One direction of a device: a headset has two.
 *
 * @category models
 * @since 0.1.0
 */
export interface AudioDevice {
  /** The backend's index. It may change when a device is plugged in. */
  readonly index: number
  /** The backend's name, by which it is opened. */
  readonly name: string
  /** Its name for people. */
  readonly description: string
  readonly direction: Direction
  /** How many channels it has. */
  readonly channels: number
  /** Its native sample rate, in Hz. */
  readonly sampleRate: number
  /** Whether it is the default of the system. */
  readonly isDefault: boolean
  /** Whether the system has muted it; absent if unknown. */
  readonly muted?: boolean
}

const word: Record<Direction, string> = { input: "microphone", output: "speaker" }

/**
 * Finds a device by its index, its name, or a case-insensitive part of its name or description. `undefined` finds the default
 * device, or the first if none is marked. A part that several devices share is ambiguous, unless it is the exact name of one.
 *
 * @category lookup
 * @since 0.1.0
 */
export const find = (
  devices: ReadonlyArray<AudioDevice>,
  direction: Direction,
  wanted: number | string | undefined
): Result.Result<AudioDevice, AudioError> => {
  const candidates = devices.filter((device) => device.direction === direction)
  const known = candidates.map(describe)
  const missing = (what: string) => {
    const list =
      known.length === 0
        ? `: there is no ${word[direction]} at all. Connect one, and check that the sound server lists it`
        : `; there are:\n${known.map((line) => `  ${line}`).join("\n")}`
    return Result.fail(new AudioError({ reason: new DeviceNotFound({ message: `${what}${list}`, direction, known }) }))
  }
  if (wanted === undefined) {
    const chosen = candidates.find(({ isDefault }) => isDefault) ?? candidates[0]
    return chosen === undefined ? missing(`No ${word[direction]} was found`) : Result.succeed(chosen)
  }
  if (typeof wanted === "number") {
    const chosen = candidates.find(({ index }) => index === wanted)
    return chosen === undefined ? missing(`There is no ${word[direction]} ${wanted}`) : Result.succeed(chosen)
  }
  const sought = wanted.toLowerCase()
  const exact = candidates.filter(({ description, name }) =>
    [name, description].some((text) => text.toLowerCase() === sought)
  )
  if (exact[0] !== undefined) return Result.succeed(exact[0])
  const partly = candidates.filter(({ description, name }) =>
    [name, description].some((text) => text.toLowerCase().includes(sought))
  )
  if (partly.length === 1) return Result.succeed(partly[0]!)
  return missing(
    partly.length === 0
      ? `There is no ${word[direction]} "${wanted}"`
      : `"${wanted}" matches ${partly.length} ${word[direction]}s`
  )
}

/**
 * Formats a device in one line: `microphone 3 Headset (usb-headset), 1 channel, 48000 Hz, default`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const describe = (device: AudioDevice): string =>
  [
    `${word[device.direction]} ${device.index} ${device.description}${device.name === device.description ? "" : ` (${device.name})`}`,
    `${device.channels} channel${device.channels === 1 ? "" : "s"}`,
    `${device.sampleRate} Hz`,
    ...(device.isDefault ? ["default"] : []),
    ...(device.muted === true ? ["muted"] : [])
  ].join(", ")

/**
 * Formats devices as a table for a terminal.
 *
 * @category formatting
 * @since 0.1.0
 */
export const table = (devices: ReadonlyArray<AudioDevice>): string => {
  const rows = [
    ["", "index", "direction", "channels", "rate", "name", "description"],
    ...devices.map((device) => [
      device.isDefault ? "*" : "",
      `${device.index}`,
      word[device.direction],
      `${device.channels}`,
      `${device.sampleRate}`,
      device.name,
      `${device.description}${device.muted === true ? " (muted)" : ""}`
    ])
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}
