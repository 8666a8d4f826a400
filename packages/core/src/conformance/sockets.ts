/**
 * The connection itself: messages that cannot be read, peers that do not read, readers that do not read.
 *
 * Each runs where the lab can cause it.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Audio from "../Audio.ts"
import { BidiModel, type Command } from "../BidiModel.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { until } from "./support/call.ts"
import { check, failing } from "./support/check.ts"
import { connect } from "./support/connection.ts"

/** A command that is larger than what the buffers of a network take. */
const large = ({ capabilities }: BidiModel["Service"]): Command => ({
  _tag: "UserMessage",
  id: "large",
  parts: capabilities.images
    ? [{ _tag: "ImageInput", image: new Uint8Array(24 * 1024 * 1024), mimeType: "image/png" }]
    : ["x".repeat(400_000)]
})

/** Frames of 20 ms, four minutes in all: no connection has more on its way, buffers of the network included. */
const MAX_BUFFERED_FRAMES = 12_000

export const sockets: ReadonlyArray<Scenario> = [
  {
    name: "reports a message that it cannot read, and goes on",
    run: ({ model, server }) =>
      server.sendMalformed === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const { connection, until } = yield* connect()
            yield* server.sendMalformed!
            const { error } = yield* until("Problem")
            yield* check(error.reason.code === "malformed_message", `it was reported as ${error.reason.code}`)
            yield* connection.send({ _tag: "UserMessage", id: "question", parts: ["Are you there?"] })
            yield* until("ResponseDone")
          }).pipe(Effect.provide(model))
  },
  {
    name: "refuses audio while too much waits to be sent, and takes it again later",
    run: ({ model, server }) =>
      server.stall === undefined || server.unstall === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const { connection, model } = yield* connect()
            yield* server.stall!
            const frame = new Uint8Array(Audio.bytes(model.input, "20 millis"))
            let taken = 0
            // what is refused now may be taken when the event loop has turned
            for (let refused = 0; refused < 20; yield* Effect.sleep("1 millis")) {
              const before = taken
              while (taken < MAX_BUFFERED_FRAMES && connection.sendAudio(frame)) taken++
              refused = taken === before ? refused + 1 : 0
            }
            yield* check(taken < MAX_BUFFERED_FRAMES, `it took ${taken} frames`)
            yield* server.unstall!
            yield* until(() => connection.sendAudio(frame))
          }).pipe(Effect.provide(model))
  },
  {
    name: "fails a command that has not left when the connection is lost",
    run: ({ failures, model, server }) =>
      Effect.gen(function* () {
        const loss = failures.find(({ reason, when }) => when === "live" && reason === "ConnectionLost")
        if (server.stall === undefined || loss === undefined) return
        const { connection, model } = yield* connect()
        yield* server.stall
        const sending = yield* Effect.forkChild(failing("the command", connection.send(large(model))), {
          startImmediately: true
        })
        yield* check(sending.pollUnsafe() === undefined, "a command that cannot leave was said to have left")
        yield* loss.cause
        const { reason } = yield* Fiber.join(sending)
        yield* check(reason._tag === "ConnectionLost", `the command fails with ${reason._tag}`)
      }).pipe(Effect.provide(model))
  },
  {
    name: "fails rather than losing messages that nobody reads",
    run: ({ model, server }) =>
      server.flood === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const { connect } = yield* BidiModel
            const connection = yield* connect({ instructions: undefined, tools: [], resume: undefined })
            yield* connection.seed([])
            yield* server.flood!(10_000)
            yield* server.connections(0)
            const { reason } = yield* failing(
              "the connection",
              connection.listen(() => undefined)
            )
            yield* check(reason._tag === "ConsumerTooSlow", `it fails with ${reason._tag}`)
          }).pipe(Effect.scoped, Effect.provide(model))
  }
]
