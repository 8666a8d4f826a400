/**
 * Events of the devices during a conversation.
 *
 * @since 0.1.0
 */
import type { Direction } from "./AudioError.ts"

/**
 * An event of a device.
 *
 * - `DeviceOpened`: the device is open at `sampleRate` Hz; `again` if it had been lost.
 * - `DeviceLost`: the device was lost, and is being opened again. `message` says why.
 *
 * @category models
 * @since 0.1.0
 */
export type AudioEvent =
  | {
      readonly _tag: "DeviceOpened"
      readonly direction: Direction
      readonly device: string
      readonly sampleRate: number
      readonly again: boolean
    }
  | { readonly _tag: "DeviceLost"; readonly direction: Direction; readonly device: string; readonly message: string }
