/**
 * `soundcheck`: tests the whole way from microphone to speaker, and says what is wrong with it.
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type AudioDevice, describe, table } from "../../AudioDevice.ts"
import type { AudioError } from "../../AudioError.ts"
import { measure } from "../../Level.ts"
import type { Backend } from "../device/backend.ts"
import { choose, portaudioModule } from "../device/choose.ts"
import { bytesOf, mix } from "../signal/samples.ts"
import { type Finding, microphone, speaker } from "./findings.ts"
import { backend, input, output, wanted } from "./options.ts"

/** The findings have been printed; the program exits with an error. */
export class SoundcheckFailed extends Data.TaggedError("SoundcheckFailed")<{}> {}

const RATE = 24_000
const request = { sampleRate: RATE, channels: 1, frameMillis: 10 }

const say = (mark: "✓" | "✗" | " ", text: string) => Console.log(`${mark} ${text}`)

const finding = ({ ok, text }: Finding) => Effect.as(say(ok ? "✓" : "✗", text), ok)

const problem = (error: AudioError) => Effect.as(say("✗", error.message), false)

/** Prints the state of every backend, because the reader may want one that is not in use. */
const backends = Effect.gen(function* () {
  for (const name of ["pulse", "portaudio"] as const) {
    const found = yield* Effect.result(Effect.flatMap(choose(name, portaudioModule()), (backend) => backend.devices))
    yield* Result.isSuccess(found)
      ? say(found.success.length > 0 ? "✓" : " ", `${name}: ${found.success.length} devices`)
      : say(" ", `${name}: ${found.failure.message}`)
  }
})

const muted = (device: AudioDevice) =>
  device.muted === true
    ? Effect.as(say("✗", "It is muted by the system: unmute it in the sound settings."), false)
    : Effect.succeed(true)

/** Listens for a second. */
const listen = Effect.fnUntraced(function* (backend: Backend, name: number | string | undefined) {
  const device = yield* backend.find("input", name)
  yield* Console.log(`\nmicrophone: ${describe(device)}\n  say something…`)
  const open = yield* muted(device)
  const sound: Array<Uint8Array> = []
  const { format } = yield* backend.microphone(device, request, (pcm) => sound.push(pcm))
  yield* Effect.sleep("1500 millis")
  const all = mix(Buffer.concat(sound), format.channels, 1)
  // the last second: the first samples of a device may be silent
  const level = measure(all.subarray(-2 * format.sampleRate))
  return (yield* finding(microphone(level))) && open
}, Effect.scoped)

/** Plays a tone for half a second, which swells and fades so that it is not a shock. */
const beep = Effect.fnUntraced(function* (backend: Backend, name: number | string | undefined) {
  const device = yield* backend.find("output", name)
  yield* Console.log(`\nspeaker: ${describe(device)}`)
  const open = yield* muted(device)
  const opened = yield* backend.speaker(device, request)
  const { channels, sampleRate } = opened.format
  const length = sampleRate / 2
  const tone = Int16Array.from({ length }, (_, i) =>
    Math.round(6000 * Math.sin((Math.PI * i) / length) * Math.sin((2 * Math.PI * 440 * i) / sampleRate))
  )
  const began = performance.now()
  opened.write(mix(bytesOf(tone), 1, channels))
  while (opened.position() < length && performance.now() - began < 3000) yield* Effect.sleep("20 millis")
  const millis = (samples: number) => (samples * 1000) / sampleRate
  return (yield* finding(speaker(millis(length), millis(opened.position()), performance.now() - began))) && open
}, Effect.scoped)

export const soundcheck = Command.make(
  "soundcheck",
  { backend, input, output },
  Effect.fnUntraced(function* (flags) {
    yield* Console.log("Backends:")
    yield* backends
    const chosen = yield* Effect.result(choose(flags.backend, portaudioModule()))
    if (Result.isFailure(chosen)) {
      yield* Console.log(`\n${chosen.failure.message}`)
      return yield* new SoundcheckFailed()
    }
    const backend = chosen.success
    yield* Console.log(`\nIn use: ${backend.name}`)
    const all = yield* Effect.result(backend.devices)
    if (Result.isFailure(all)) {
      yield* problem(all.failure)
      return yield* new SoundcheckFailed()
    }
    if (all.success.length > 0) yield* Console.log(table(all.success))
    const hears = yield* Effect.catch(listen(backend, wanted(flags.input)), problem)
    const speaks = yield* Effect.catch(beep(backend, wanted(flags.output)), problem)
    if (!hears || !speaks) return yield* new SoundcheckFailed()
    yield* Console.log("\nReady to talk: npx -y pnpm@12 start --voice")
  })
).pipe(Command.withDescription("Checks microphone and speaker, and says what to fix"))
