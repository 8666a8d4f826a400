/**
 * The runtime: the same sessions as conversations, with a microphone, a speaker, captions, hooks and a history.
 */
import * as Audio from "@effect-bidi/core/Audio"
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type { AudioInput } from "@effect-bidi/core/BidiEvent"
import * as BidiInput from "@effect-bidi/core/BidiInput"
import * as BidiOutput from "@effect-bidi/core/BidiOutput"
import * as SessionStore from "@effect-bidi/core/SessionStore"
import * as OpenAiRealtime from "@effect-bidi/openai/OpenAiRealtime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { Caller } from "./caller.ts"
import { drive } from "./driver.ts"
import * as Frame from "./frame.ts"

class Assistant extends BidiAgent.Service<Assistant>()("bench/Assistant", {
  instructions: "You are a helpful voice assistant."
}) {}

const MIC_FRAMES = 25 // half a second, then the oldest is forgotten
const format = Audio.pcm(Frame.SAMPLE_RATE)

const start = Effect.fnUntraced(function* (caller: Caller, count: Map<string, number>) {
  const agent = yield* Assistant
  let speak: (input: AudioInput) => boolean = () => true
  const microphone = BidiInput.capture(
    "microphone",
    (push) => {
      speak = push
      return Effect.never
    },
    { capacity: MIC_FRAMES }
  )
  const tally = (event: { readonly _tag: string }) =>
    Effect.sync(() => count.set(event._tag, (count.get(event._tag) ?? 0) + 1))

  const ready = yield* Latch.make()
  const conversation = agent.run({
    inputs: [microphone],
    outputs: [
      BidiOutput.speaker(
        "speaker",
        Effect.succeed({
          play: ({ audio }) => caller.play(audio),
          flush: Effect.sync(() => caller.flush()),
          played: () => Duration.millis(caller.played())
        })
      ),
      BidiOutput.make("captions", {
        events: ["TranscriptStream"],
        handle: ({ delta }) => Effect.sync(() => caller.read(delta))
      })
    ],
    hooks: [
      BidiAgent.on("ResponseComplete", tally),
      BidiAgent.on("ConnectionStart", (event) => Effect.andThen(tally(event), ready.open))
    ]
  })
  const running = yield* Effect.forkScoped(conversation)
  yield* Effect.raceFirst(ready.await, Fiber.join(running))
  return (audio: Uint8Array) => {
    speak({ _tag: "AudioInput", audio, ...format })
  }
})

const layer = (baseUrl: string) =>
  Assistant.layer.pipe(
    Layer.provide(OpenAiRealtime.layer({ apiKey: Redacted.make("bench"), baseUrl })),
    Layer.merge(SessionStore.layerMemory)
  )

drive(async (url, callers) => {
  const runtime = ManagedRuntime.make(layer(url))
  const calls = Scope.makeUnsafe("parallel")
  const count = new Map<string, number>()
  const microphones = await runtime.runPromise(
    Effect.forEach(callers, (caller) => start(caller, count), { concurrency: 25 }).pipe(Scope.provide(calls))
  )
  return {
    microphones,
    close: async () => {
      await runtime.runPromise(Scope.close(calls, Exit.void))
      await runtime.dispose()
    }
  }
})
