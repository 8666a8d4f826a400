// A real call becomes a test: what passed between the conversation and the model is recorded, and played again.
import { BidiAgent, BidiTools, ModelRecorder } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Toolkit } from "effect/ai"
import { TestClock } from "effect/testing"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const profile = {
  instructions: "You are a helpful voice assistant. Keep responses concise.",
  toolkit: Toolkit.make(BidiTools.calculator)
}

const Main = Effect.gen(function* () {
  const recorder = yield* ModelRecorder.make
  const live = Effect.flatMap(BidiAgent.make(profile), (agent) =>
    agent.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] })
  )
  yield* live.pipe(Effect.provide(Layer.provide(recorder.layer, ModelFromEnvironment)))

  // a text, to be kept beside the tests; add AudioRecorder.output("call.wav") to the outputs to keep the sound as well
  const text = ModelRecorder.encode(recorder.recording())
  yield* Console.log(`recorded: ${ModelRecorder.decode(text).passed.length} things in ${text.length} characters`)

  // in a test, `it.effect` gives the clock
  const again = Effect.flatMap(BidiAgent.make(profile), (agent) => agent.start())
  const { commands, differences } = yield* BidiTest.replay(ModelRecorder.decode(text), again).pipe(
    Effect.scoped,
    Effect.provide(TestClock.layer())
  )
  yield* Console.log(`replayed: ${commands.length} commands, ${differences.length} differences`)
  yield* Effect.forEach(differences, (difference) => Console.log(difference), { discard: true })
})

Main.pipe(Effect.provide([BidiTools.layer, Logging]), NodeRuntime.runMain)
