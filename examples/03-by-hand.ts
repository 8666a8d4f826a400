// A conversation without channels: start it, send a text, read the events of the reply, stop.
import { BidiAgent } from "@effect-bidi/core"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Stream } from "effect"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ instructions: "You are a helpful voice assistant." })
  const call = yield* agent.start({ sessionId: "alice" })

  for (const question of ["My name is Alice.", "What is my name?"]) {
    yield* Console.log(`> ${question}`)
    yield* call.send(question)
    yield* call.events.pipe(
      Stream.takeUntil((event) => event._tag === "ResponseComplete"),
      Stream.runForEach((event) =>
        event._tag === "TranscriptStream" && event.isFinal ? Console.log(event.currentTranscript) : Effect.void
      )
    )
  }

  yield* call.stop()
  yield* Console.log(`ended: ${yield* call.await}`)

  const history = yield* call.history // as messages of effect/ai
  yield* Console.log(`${history.content.length} messages: ${history.content.map(({ role }) => role).join(", ")}`)
}).pipe(Effect.scoped)

Main.pipe(Effect.provide([ModelFromEnvironment, Logging]), NodeRuntime.runMain)
