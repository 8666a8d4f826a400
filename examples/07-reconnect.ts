// Providers end every connection after some minutes. Here they last 12 seconds, and one is cut: the talk goes on.
import { BidiAgent, BidiConsole, BidiTest } from "@effect-bidi/core"
import { Fault } from "@effect-bidi/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { emulated, Logging } from "./environment.ts"

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ system: "You are a helpful voice assistant." })
  const speaker = yield* BidiTest.speaker()

  const call = yield* agent.start({ outputs: [BidiConsole.output(), speaker.output] })
  const ask = (question: string) =>
    Console.log(`> ${question}`).pipe(Effect.andThen(call.send(question)), Effect.andThen(call.idle))

  yield* ask("My name is Ada.")
  yield* ask("Tell me something.")
  yield* Effect.sleep("10 seconds")
  yield* ask("What is my name?")
}).pipe(Effect.scoped)

const Model = emulated({ session: "12 seconds", faults: [Fault.drop(Fault.afterReceived("response.create", 2))] })

Main.pipe(Effect.provide([Model, Logging]), NodeRuntime.runMain)
