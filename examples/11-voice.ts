// The smallest voice agent: talk into the microphone, hear the answer, read along, type if you like.
// `npx -y pnpm@12 soundcheck` checks microphone and speaker first. Use headphones, or `echoCancellation: true`.
import { AudioIO } from "@effect-bidi/audio"
import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { Logging, ModelFromEnvironment } from "./environment.ts"

class Receptionist extends BidiAgent.Service<Receptionist>()("examples/Receptionist", {
  instructions: "You are a helpful voice assistant. Keep responses concise and natural.",
  toolkit: BidiTools.toolkit
}) {}

const Main = Effect.gen(function* () {
  const receptionist = yield* Receptionist
  const audio = yield* AudioIO.AudioIO // formats come from the model
  yield* receptionist.run({
    inputs: [audio.input, BidiConsole.input({ status: audio.indicator })],
    outputs: [audio.output, BidiConsole.output()],
    greeting: { instructions: "Greet the user and say in one sentence what you can do." }
  })
})

Main.pipe(
  Effect.provide([
    Receptionist.layer.pipe(Layer.provide([BidiTools.layer, ModelFromEnvironment])),
    AudioIO.layer(),
    Logging
  ]),
  NodeRuntime.runMain
)
