/**
 * Tools as they are declared to the model: each one complete, or refused by its name before the adapter connects.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BidiError } from "../BidiError.ts"
import type { ToolDefinition } from "../BidiModel.ts"
import type { Lab, Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { connect } from "./support/connection.ts"

const ARRIVAL_TIMEOUT: Duration.Input = "2 seconds"

const tool = (name: string, parameters: ToolDefinition["parameters"]): ToolDefinition => ({
  name,
  description: "A tool.",
  parameters
})

const word = { type: "string" }
const nothing = { type: "object", additionalProperties: false }

/** Names that no provider takes. */
const wrongNames = ["no such name!", "", "n".repeat(200), "naïve"]

/** Tools, and what the model has to get of their parameters. */
const shapes: ReadonlyArray<readonly [ToolDefinition, mentions: ReadonlyArray<string>]> = [
  [tool("bare", nothing), ["bare"]],
  [
    tool("of_a_class", {
      $ref: "#/$defs/Stop",
      $defs: { Stop: { type: "object", properties: { platform: word }, required: ["platform"] } }
    }),
    ["platform"]
  ],
  [
    tool("either", {
      anyOf: [
        { type: "object", properties: { by_street: word }, required: ["by_street"] },
        { type: "object", properties: { by_number: word }, required: ["by_number"] }
      ]
    }),
    ["by_street", "by_number"]
  ],
  [tool("any_keys", { type: "object", additionalProperties: { type: "string", enum: ["amethyst"] } }), ["amethyst"]],
  [
    tool("tree", {
      $ref: "#/$defs/Tree",
      $defs: {
        Tree: {
          type: "object",
          properties: { leaf: word, branches: { type: "array", items: { $ref: "#/$defs/Tree" } } },
          required: ["leaf", "branches"]
        }
      }
    }),
    ["leaf", "branches"]
  ]
]

const refusedByName = (error: BidiError, { name }: ToolDefinition) =>
  Effect.andThen(
    check(error.reason._tag === "InvalidRequest", `the tool "${name}" is refused with ${error.reason._tag}`),
    check(error.message.includes(name), `"${error.message}" does not name the tool "${name}"`)
  )

const isSent = ({ server }: Lab, name: string, what: string) =>
  server.received(what).pipe(
    Effect.timeoutOrElse({
      duration: ARRIVAL_TIMEOUT,
      orElse: () => Effect.die(new Error(`the tool "${name}" was accepted, and ${what} was not sent`))
    })
  )

/** Connects with the tool, and waits for a reply. */
const talk = Effect.fnUntraced(function* (shape: ToolDefinition) {
  const line = yield* connect({ tools: [shape] })
  yield* line.connection.send({ _tag: "UserMessage", id: "hello", parts: ["Hello."] })
  yield* Effect.raceFirst(line.until("ResponseDone"), Effect.flatMap(line.end, Effect.fail))
})

export const toolDefinitions: ReadonlyArray<Scenario> = [
  {
    name: "refuses a tool by its name where the provider does not take that name, before it connects",
    run: (lab) =>
      Effect.gen(function* () {
        const refusal = lab.failures.find(({ when }) => when === "connect")
        // the next attempt to connect would fail
        if (refusal !== undefined) yield* refusal.cause
        for (const name of wrongNames) {
          const wrong = tool(name, nothing)
          const tools = [tool("good", nothing), wrong]
          yield* refusedByName(yield* failing(`the tool "${name}"`, Effect.scoped(connect({ tools }))), wrong)
        }
        if (refusal === undefined) return
        const error = yield* failing(refusal.name, Effect.scoped(connect({ tools: [tool("good", nothing)] })))
        yield* check(error.reason._tag === refusal.reason, "the adapter connected with a tool that cannot be declared")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "sends all of a tool's parameters, whatever their shape, or refuses the tool by its name",
    run: (lab) =>
      Effect.gen(function* () {
        for (const [shape, mentions] of shapes) {
          const talked = yield* Effect.result(Effect.scoped(talk(shape)))
          if (talked._tag === "Failure") yield* refusedByName(talked.failure, shape)
          else for (const what of mentions) yield* isSent(lab, shape.name, what)
        }
      }).pipe(Effect.provide(lab.model))
  }
]
