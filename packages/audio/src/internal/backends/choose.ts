/**
 * Chooses a backend.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { AudioError } from "../../AudioError.ts"
import { backendMissing } from "../errors.ts"
import type { BackendName } from "../../Options.ts"
import type { Backend } from "./backend.ts"
import { backend as file } from "./file/backend.ts"
import { backend as portaudio } from "./portaudio/backend.ts"
import { backend as pulse } from "./pulse/backend.ts"
import * as Pulse from "./pulse/server.ts"

/** The binding that has a build for this machine: the original has none for Apple Silicon. */
export const portaudioModule = (): string =>
  process.platform === "darwin" && process.arch === "arm64" ? "naudiodon2" : "naudiodon"

/** On Linux the sound server comes first, because it is lighter than PortAudio; elsewhere there is only PortAudio. */
const candidates = (module: string): ReadonlyArray<readonly [Backend, Effect.Effect<unknown, AudioError>]> => {
  const native = portaudio(module)
  const found = Effect.flatMap(native.devices, ({ length }) =>
    length > 0
      ? Effect.void
      : Effect.fail(backendMissing(native.name, "PortAudio finds no devices; connect a microphone or a speaker"))
  )
  const first = [native, found] as const
  return process.platform === "linux" ? [[pulse, Pulse.info], first] : [first]
}

/** The backend of that name. `auto` is the first that works; if none does, the error says what each is missing. */
export const choose = Effect.fnUntraced(function* (name: BackendName, module: string) {
  if (name === "file") return file
  if (name === "pulse") return pulse
  if (name === "portaudio") return portaudio(module)
  const missing: Array<string> = []
  for (const [backend, works] of candidates(module)) {
    const found = yield* Effect.result(works)
    if (Result.isSuccess(found)) return backend
    missing.push(`\n  ${backend.name}: ${found.failure.message}`)
  }
  return yield* backendMissing("auto", `No backend works on this machine:${missing.join("")}`)
})
