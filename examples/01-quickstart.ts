import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { channels } from "./channels.ts"
import { Logging, ModelFromEnvironment } from "./environment.ts"

class Assistant extends BidiAgent.Service<Assistant>()("examples/Assistant", {
  instructions: "You are a helpful voice assistant. Keep responses concise and natural.",
  toolkit: BidiTools.toolkit // the time, a calculator, and a way to hang up
}) {}

const Main = Effect.gen(function* () {
  const assistant = yield* Assistant
  const { inputs, outputs } = yield* channels // the terminal; with --voice microphone and speakers
  yield* assistant.run({
    inputs,
    outputs,
    greeting: { instructions: "Greet the user and say in one sentence what you can do." }
  })
})

Main.pipe(
  Effect.scoped,
  Effect.provide([Assistant.layer.pipe(Layer.provide([BidiTools.layer, ModelFromEnvironment])), Logging]),
  NodeRuntime.runMain
)
