/**
 * Connections: how they begin, get the history, and end.
 */
import * as Effect from "effect/Effect"
import type { Transcript } from "../Transcript.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { connect } from "./support/connection.ts"

const history: Transcript = [
  { _tag: "User", id: "u1", parts: ["My name is Ada."] },
  { _tag: "Assistant", id: "a1", responseId: "r1", text: "Nice to meet you, Ada.", interrupted: false },
  { _tag: "User", id: "u2", parts: ["How high is the tower?"] },
  {
    _tag: "ToolCall",
    id: "call_1",
    responseId: "r2",
    name: "measure",
    input: { what: "tower" },
    output: { result: { metres: 4711 }, isFailure: false }
  },
  { _tag: "Assistant", id: "a2", responseId: "r3", text: "It is", interrupted: true, full: "It is very high indeed." },
  { _tag: "Note", id: "n1", text: "The visitor wears a red coat." }
]

export const connections: ReadonlyArray<Scenario> = [
  {
    name: "seeds the history with tool calls, as it was heard, and does not reply to it",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const line = yield* connect({}, history)
        yield* line.connection.send({ _tag: "UserMessage", id: "question", parts: ["What is my name?"] })
        yield* line.until("ResponseDone")
        for (const text of ["My name is Ada.", "Nice to meet you, Ada.", "4711", "measure", "red coat"]) {
          yield* server.received(text)
        }
        yield* check(line.all("ResponseStarted").length === 1, "the model replied to the history")
        yield* check(line.all("Problem").length === 0, "the provider reported a problem with the history")
      }).pipe(Effect.provide(model))
  },
  {
    name: "closes with its scope, at any point",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        yield* Effect.scoped(connect())
        yield* server.connections(0)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const line = yield* connect()
            yield* server.hold
            yield* line.connection.send({ _tag: "UserMessage", id: "question", parts: ["Hello"] })
            yield* line.until("ResponseStarted")
          })
        )
        yield* server.release
        yield* server.connections(0)
      }).pipe(Effect.provide(model))
  },
  {
    name: "refuses to send after its end",
    run: ({ failures, model, server }) =>
      Effect.gen(function* () {
        const failure = failures.find((failure) => failure.when === "live")
        if (failure === undefined) return
        const line = yield* connect()
        yield* failure.cause
        yield* line.end
        const late = line.connection.send({ _tag: "UserMessage", id: "late", parts: ["Hello?"] })
        const sent = yield* failing("a send after the end", late)
        yield* check(sent.isRetryable, `a send after the end fails with ${sent.reason._tag}`)
        yield* check(!line.connection.sendAudio(new Uint8Array(640)), "audio is taken after the end")
      }).pipe(Effect.scoped, Effect.andThen(server.connections(0)), Effect.provide(model))
  }
]
