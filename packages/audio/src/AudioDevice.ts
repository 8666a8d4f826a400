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
  const found = matching(candidates, wanted)
  if (found.length === 1) return Result.succeed(found[0]!)
  const noun = word[direction]
  const problem =
    wanted === undefined
      ? `No ${noun} was found`
      : found.length === 0
        ? `There is no ${noun} ${JSON.stringify(wanted)}`
        : `"${wanted}" matches ${found.length} ${noun}s`
  const known = candidates.map(describe)
  const list =
    known.length === 0
      ? `: there is no ${noun} at all. Connect one, and check that the sound server lists it`
      : `; there are:${known.map((line) => `\n  ${line}`).join("")}`
  return Result.fail(new AudioError({ reason: new DeviceNotFound({ message: `${problem}${list}`, direction, known }) }))
}

const matching = (candidates: ReadonlyArray<AudioDevice>, wanted: number | string | undefined) => {
  if (wanted === undefined) return [...candidates.filter(({ isDefault }) => isDefault), ...candidates].slice(0, 1)
  if (typeof wanted === "number") return candidates.filter(({ index }) => index === wanted).slice(0, 1)
  const sought = wanted.toLowerCase()
  const names = ({ description, name }: AudioDevice) => [name.toLowerCase(), description.toLowerCase()]
  const exact = candidates.filter((device) => names(device).includes(sought))
  return exact.length > 0
    ? exact.slice(0, 1)
    : candidates.filter((device) => names(device).some((name) => name.includes(sought)))
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
