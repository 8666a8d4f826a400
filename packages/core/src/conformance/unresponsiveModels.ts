/**
 * Models that do not hear for a while, do not report speech, or do not reply to what they heard.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as Audio from "../Audio.ts"
import { checkSaid, start } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check } from "./support/check.ts"

const toolkit = Toolkit.make(
  Tool.make("search", { success: Schema.String, failure: Schema.String, failureMode: "return" })
)

export const unresponsiveModels: ReadonlyArray<Scenario> = [
  {
    name: "delivers the result to a model that waits for its tool, on the same connection, while the microphone is on",
    run: ({ blockingTools, server }) =>
      blockingTools === undefined
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
            // frames are sent as they come; the last one may be on its way
            yield* Effect.repeat(Effect.andThen(frame, Effect.sleep("2 millis")), { times: 50 })
            yield* finished.open
            yield* Effect.repeat(frame, { times: 10 })
            yield* server.received("the key is under the mat")
            yield* call.untilSaid("I have found it.")
            const [result, ...others] = call.all("ToolResult")
            yield* check(others.length === 0 && result?.isFailure === false, "there was not exactly one result")
            yield* check(result?.late !== true, "the result was late")
            yield* check(call.all("ConnectionRestart").length === 0, "the connection was replaced")
          }).pipe(Effect.provide(blockingTools))
  },
  {
    name: "completes turns where the provider does not report speech",
    run: ({ server, withoutSpeechEvents }) =>
      withoutSpeechEvents === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.hear("What is your name?")
            yield* server.reply({ text: "I am the keeper." })
            yield* Effect.forkScoped(call.speak)
            yield* call.untilSaid("I am the keeper.")
            yield* check(call.all("UserSpeech").length === 0, "the model of the lab reports speech")
            const { content } = yield* call.history
            const told = JSON.stringify(content)
            yield* check(told.includes("What is your name?"), "what the user said is missing")
            yield* check(told.indexOf("What is your name?") < told.indexOf("I am the keeper."), "the order is wrong")
            // the conversation is neither interrupted nor busy for ever
            yield* call.awaitIdle
          }).pipe(Effect.provide(withoutSpeechEvents))
  },
  {
    name: "reports an empty reply as incomplete",
    run: ({ model, server }) =>
      server.emptyReply === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.emptyReply!
            yield* call.send("Say something.")
            yield* call.until("Error")
            yield* call.awaitIdle
            yield* check(
              call.all("ResponseComplete").every(({ stopReason }) => stopReason !== "complete"),
              "an empty reply is reported as complete"
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
    name: "reports a turn that is not answered, and goes on",
    run: ({ model, server }) =>
      server.ignoreTurn === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* server.hear("Is anybody there?")
            yield* server.ignoreTurn!
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
