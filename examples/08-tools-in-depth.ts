// Tools that take their time: spoken progress, a late result, approval, a deadline, calls side by side.
import { BidiAgent, BidiTool, CurrentConversation } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Logging, ModelFromEnvironment } from "./environment.ts"

/** Who is calling. Given where the conversation is started, needed where a tool runs. */
class Caller extends Context.Service<Caller, { readonly name: string }>()("examples/Caller") {}

const returns = { success: Schema.String, failure: Schema.String, failureMode: "return" } as const

const toolkit = Toolkit.make(
  Tool.make("get_weather", {
    description: "Tells the weather in a city.",
    parameters: Schema.Struct({ city: Schema.String }),
    ...returns
  }),
  Tool.make("search_flights", {
    description: "Searches flights to a city.",
    parameters: Schema.Struct({ city: Schema.String }),
    ...returns
  }).annotate(BidiTool.StillWorkingAfter, "1 second"), // the talk goes on; the result follows when nobody speaks
  Tool.make("book_flight", {
    description: "Books the flight to a city.",
    parameters: Schema.Struct({ city: Schema.String }),
    dependencies: [Caller],
    needsApproval: true, // suspended until somebody approves of this call with these arguments
    ...returns
  }).annotate(BidiTool.OnInterruption, "uninterruptible"),
  Tool.make("phone_hotel", { description: "Phones the hotel.", ...returns }).annotate(BidiTool.Timeout, "2 seconds")
)

const Tools = toolkit.toLayer({
  get_weather: ({ city }) => Effect.delay(Effect.succeed(`It is sunny in ${city}.`), "300 millis"),
  search_flights: Effect.fnUntraced(function* ({ city }, { preliminary }) {
    yield* Effect.sleep("2 seconds")
    yield* preliminary("I have asked three airlines so far.")
    yield* Effect.sleep("3 seconds")
    return `The flight to ${city} leaves at noon.`
  }),
  book_flight: Effect.fnUntraced(function* ({ city }) {
    const { name } = yield* Caller
    return `The flight to ${city} is booked for ${name}.`
  }),
  phone_hotel: () => Effect.never
})

class TravelDesk extends BidiAgent.Service<TravelDesk>()("examples/TravelDesk", {
  instructions: "You are a travel agent. Answer in one sentence.",
  toolkit
}) {}

const Main = Effect.gen(function* () {
  const desk = yield* TravelDesk
  yield* desk.run({
    inputs: [BidiConsole.input()],
    outputs: [BidiConsole.output({ agent: "travel desk" })],
    hooks: [
      // progress is an event; here it is said, once nobody speaks
      BidiAgent.on("ToolProgress", ({ value }) =>
        Effect.gen(function* () {
          const { say } = yield* CurrentConversation.CurrentConversation
          yield* Effect.ignore(say(`${value}`))
        })
      ),
      // consent may come from anywhere: a person, a policy, another system
      BidiAgent.on("ApprovalRequest", ({ id, input }) =>
        Effect.gen(function* () {
          const { approve, reject } = yield* CurrentConversation.CurrentConversation
          yield* JSON.stringify(input).includes("Atlantis") ? reject(id, "there is no such place") : approve(id)
        })
      )
    ]
  })
})

Main.pipe(
  Effect.provideService(Caller, { name: "Ada" }),
  Effect.provide([TravelDesk.layer.pipe(Layer.provide([Tools, ModelFromEnvironment])), Logging]),
  NodeRuntime.runMain
)
