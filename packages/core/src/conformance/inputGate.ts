/**
 * Models that hear nothing for a while, do not tell that they hear, or say nothing to what they heard. A lab without such a
 * model passes.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as Audio from "../Audio.ts"
import { checkSaid, start } from "./call.ts"
import type { Scenario } from "./lab.ts"
import { check } from "./line.ts"

const toolkit = Toolkit.make(
  Tool.make("search", { success: Schema.String, failure: Schema.String, failureMode: "return" })
)

export const inputGate: ReadonlyArray<Scenario> = [
  {
    name: "gives a model that waits for its tool the result, on the same connection, while the microphone goes on",
    run: ({ blocking, server }) =>
      blocking === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const finished = yield* Latch.make()
            const handlers = toolkit.toLayer({ search: () => Effect.as(finished.await, "the key is under the mat") })
            const call = yield* Effect.provide(start({ toolkit }), handlers)
            yield* server.reply({ calls: [{ name: "search", arguments: {} }] })
            yield* server.reply({ text: "I have found it." })
            yield* call.send("Where is my key?")
            yield* call.until("ToolUse")
            const { input } = call.model
            const audio = Audio.silence(input, "20 millis")
            const frame = call.send({ _tag: "AudioInput", audio, ...input })
            // frames leave as they come; the last one may be on its way
            yield* Effect.repeat(Effect.andThen(frame, Effect.sleep("2 millis")), { times: 50 })
            yield* finished.open
            yield* Effect.repeat(frame, { times: 10 })
            yield* server.received("the key is under the mat")
            yield* call.untilSaid("I have found it.")
            const [result, ...others] = call.all("ToolResult")
            yield* check(others.length === 0 && result?.isFailure === false, "the result did not arrive, or twice")
            yield* check(result?.late !== true, "the result did not arrive as one")
            yield* check(call.all("ConnectionRestart").length === 0, "the call cost a connection")
          }).pipe(Effect.provide(blocking))
  },
  {
    name: "makes a turn of what it hears also where the provider does not tell of speech",
    run: ({ deaf, server }) =>
      deaf === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.hear("What is your name?")
            yield* server.reply({ text: "I am the keeper." })
            yield* Effect.forkScoped(call.speak)
            yield* call.untilSaid("I am the keeper.")
            yield* check(call.all("UserSpeech").length === 0, "the lab's deaf model tells of speech")
            const { content } = yield* call.history
            const told = JSON.stringify(content)
            yield* check(told.includes("What is your name?"), "what the user said is missing")
            yield* check(told.indexOf("What is your name?") < told.indexOf("I am the keeper."), "the order is wrong")
            // and it does not take itself for interrupted, or busy, for ever
            yield* call.awaitIdle
          }).pipe(Effect.provide(deaf))
  },
  {
    name: "tells silence as silence",
    run: ({ model, server }) =>
      server.silence === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.silence!
            yield* call.send("Say something.")
            yield* call.until("Error")
            yield* call.awaitIdle
            yield* check(
              call.all("ResponseComplete").every(({ stopReason }) => stopReason !== "complete"),
              "a reply without anything in it is told as a complete one"
            )
            yield* checkSaid(call)
            yield* server.reply({ text: "Here I am." })
            yield* call.send("Are you there?")
            yield* call.untilSaid("Here I am.")
            yield* call.awaitIdle
            yield* checkSaid(call, "Here I am.")
          }).pipe(Effect.provide(model))
  },
  {
    name: "tells when what was heard is not answered, and goes on",
    run: ({ model, server }) =>
      server.ignore === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.hear("Is anybody there?")
            yield* server.ignore!
            yield* Effect.forkScoped(call.speak)
            yield* call.until("Error")
            const { content } = yield* call.history
            yield* check(JSON.stringify(content).includes("Is anybody there?"), "what the user said is missing")
            yield* call.awaitIdle
            yield* server.reply({ text: "Here I am." })
            yield* call.send("Are you there?")
            yield* call.untilSaid("Here I am.")
          }).pipe(Effect.provide(model))
  }
]
