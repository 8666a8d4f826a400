/**
 * `soundcheck`: tests the whole way from microphone to speaker, and says what is wrong with it.
 */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type AudioDevice, describe } from "../../AudioDevice.ts"
import type { AudioError } from "../../AudioError.ts"
import { measure } from "../../Level.ts"
import type { Backend } from "../backends/backend.ts"
import { choose, portaudioModule } from "../backends/choose.ts"
import { bytesOf, mix } from "../signal/samples.ts"
import { type Finding, microphone, speaker } from "./findings.ts"
import { backend, input, output, wanted } from "./options.ts"

/** The findings have been printed; the program exits with an error. */
export class SoundcheckFailed extends Data.TaggedError("SoundcheckFailed")<{}> {}

const SAMPLE_RATE = 24_000
const request = { sampleRate: SAMPLE_RATE, channels: 1, frameMillis: 10 }

const print = ({ ok, text }: Finding) => Effect.as(Console.log(`${ok ? "✓" : "✗"} ${text}`), ok)

const printError = ({ message }: AudioError) => print({ ok: false, text: message })

/** Prints the state of every backend, because the reader may want one that is not in use. */
const backends = Effect.gen(function* () {
  yield* Console.log("Backends:")
  for (const name of ["pulse", "portaudio"] as const) {
    const found = yield* Effect.result(Effect.flatMap(choose(name, portaudioModule()), (backend) => backend.devices))
    const count = Result.isSuccess(found) ? found.success.length : 0
    const text = Result.isSuccess(found)
      ? count === 0
        ? "it works, but finds no devices"
        : `${count} devices`
      : found.failure.message
    yield* print({ ok: count > 0, text: `${name}: ${text}` })
  }
})

const notMuted = (device: AudioDevice) =>
  device.muted === true
    ? print({ ok: false, text: "It is muted by the system. Unmute it in the sound settings." })
    : Effect.succeed(true)

/** Records for a moment and judges the level. */
const testMicrophone = Effect.fnUntraced(function* (backend: Backend, name: number | string | undefined) {
  const device = yield* backend.find("input", name)
  yield* Console.log(`\nTesting ${describe(device)}: say something…`)
  const open = yield* notMuted(device)
  const pieces: Array<Uint8Array> = []
  const { format } = yield* backend.microphone(device, request, (pcm) => pieces.push(pcm))
  yield* Effect.sleep("1500 millis")
  const audio = mix(Buffer.concat(pieces), format.channels, 1)
  // the last second: the first samples of a device may be silent
  const level = measure(audio.subarray(-2 * format.sampleRate))
  return (yield* print(microphone(level))) && open
}, Effect.scoped)

/** Plays a tone for half a second; it swells and fades so that it does not startle. */
const testSpeaker = Effect.fnUntraced(function* (backend: Backend, name: number | string | undefined) {
  const device = yield* backend.find("output", name)
  yield* Console.log(`\nTesting ${describe(device)}: playing a tone…`)
  const open = yield* notMuted(device)
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
  return (yield* print(speaker(millis(length), millis(opened.position()), performance.now() - began))) && open
}, Effect.scoped)

export const soundcheck = Command.make(
  "soundcheck",
  { backend, input, output },
  Effect.fnUntraced(function* (flags) {
    yield* backends
    const chosen = yield* Effect.result(choose(flags.backend, portaudioModule()))
    // why is already in the list above
    if (Result.isFailure(chosen)) {
      yield* Console.log("\nNo backend works on this machine. Fix one of the above.")
      return yield* new SoundcheckFailed()
    }
    yield* Console.log(`\nIn use: ${chosen.success.name}`)
    const hears = yield* Effect.catch(testMicrophone(chosen.success, wanted(flags.input)), printError)
    const speaks = yield* Effect.catch(testSpeaker(chosen.success, wanted(flags.output)), printError)
    if (!hears || !speaks) return yield* new SoundcheckFailed()
    yield* Console.log("\nReady to talk: npx -y pnpm@12 start --voice")
  })
).pipe(Command.withDescription("Tests a microphone and a speaker, and says what to fix"))
