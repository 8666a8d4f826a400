// Hooks that decide: which tool calls are made, and what is kept of what was said.
import { BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const weather = Toolkit.make(
  Tool.make("get_weather", {
    description: "Tells the weather in a city.",
    parameters: Schema.Struct({ city: Schema.String }),
    success: Schema.String
  })
)
const Weather = weather.toLayer({ get_weather: ({ city }) => Effect.succeed(`It is sunny in ${city}.`) })

/** London is out of bounds. The model is told why, and may say so. */
const outOfBounds = BidiAgent.beforeTool(({ input }) =>
  Effect.succeed(
    JSON.stringify(input).includes("London") ? BidiAgent.refuse("London is out of bounds.") : BidiAgent.proceed
  )
)

const withoutNumbers = (text: string) => text.replace(/\d{4,}/g, "****")

/** No long number is ever kept, in the history or in a store. */
const redacted = BidiAgent.beforeEntry((entry) => {
  if (entry._tag === "User") {
    return { ...entry, parts: entry.parts.map((part) => (typeof part === "string" ? withoutNumbers(part) : part)) }
  }
  if (entry._tag !== "Assistant") return entry
  const full = entry.full === undefined ? {} : { full: withoutNumbers(entry.full) }
  return { ...entry, text: withoutNumbers(entry.text), ...full }
})

/** Observes what is kept of the user. */
const kept = BidiAgent.on("MessageAdded", ({ entry }) =>
  entry._tag === "User" ? Console.log(`kept: ${entry.parts.join(" ")}`) : Effect.void
)

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({
    instructions: "You are a helpful voice assistant. Keep responses concise.",
    toolkit: weather
  })
  yield* agent.run({
    inputs: [BidiConsole.input()],
    outputs: [BidiConsole.output()],
    hooks: [outOfBounds, redacted, kept]
  })
})

Main.pipe(Effect.provide([Weather, ModelFromEnvironment, Logging]), NodeRuntime.runMain)
