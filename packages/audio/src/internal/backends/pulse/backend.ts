/**
 * PulseAudio, or PipeWire in its place, through the programs of `pulseaudio-utils`. Needs no native module.
 */
import * as Effect from "effect/Effect"
import { find } from "../../../AudioDevice.ts"
import type { Backend } from "../backend.ts"
import { open as pacat } from "./pacat.ts"
import { open as parec } from "./parec.ts"
import { BACKEND, devices } from "./server.ts"

export const backend: Backend = {
  name: BACKEND,
  devices,
  find: (direction, wanted) => Effect.flatMap(devices, (all) => Effect.fromResult(find(all, direction, wanted))),
  microphone: parec,
  speaker: pacat
}
