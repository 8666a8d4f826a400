/**
 * What happens to the devices while a conversation goes on.
 *
 * @since 0.1.0
 */
import type { Direction } from "./AudioError.ts"

/**
 * - `DeviceOpened`: sound comes in or can go out, at the device's `sampleRate` in Hz. `again` after it was lost.
 * - `DeviceLost`: the device is gone, for the reason given; it is being opened again.
 *
 * @category models
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
