/**
 * Makes an `AudioError` with one of its reasons.
 */
import { AudioError, BackendMissing, DeviceFailed, type Direction, InvalidOption } from "../AudioError.ts"

export const backendMissing = (backend: string, message: string): AudioError =>
  new AudioError({ reason: new BackendMissing({ backend, message }) })

export const deviceFailed = (direction: Direction, device: string, message: string): AudioError =>
  new AudioError({ reason: new DeviceFailed({ direction, device, message }) })

export const invalidOption = (option: string, message: string): AudioError =>
  new AudioError({ reason: new InvalidOption({ option, message: `${option}: ${message}` }) })
