// The agent is cut off in mid-story. It stops at once, and both sides remember only what was heard.
import { BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Duration, Effect } from "effect"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ instructions: "You are a storyteller." })
  const speaker = yield* BidiTest.speaker() // plays in real time, without a sound card

  const call = yield* agent.start({
    outputs: [speaker.output, BidiConsole.output({ agent: "storyteller" })],
    hooks: [
      BidiAgent.on("Interruption", ({ heard }) => Console.log(`(silent after ${Duration.format(heard)} of speech)`))
    ]
  })

  yield* call.send("Tell me a long story.")
  const heardEnough = Effect.sync(() => Duration.toSeconds(speaker.played()) >= 3)
  yield* Effect.repeat(Effect.delay(heardEnough, "100 millis"), { until: (enough) => enough })
  // By now the model has generated far more than that.
  yield* call.send("Wait. What did you just say?")
  yield* call.awaitIdle

  const { content } = yield* call.history
  yield* Console.log(`\nwhat was heard of the story: ${JSON.stringify(content[1]?.content)}`)
}).pipe(Effect.scoped)

Main.pipe(Effect.provide([ModelFromEnvironment, Logging]), NodeRuntime.runMain)
