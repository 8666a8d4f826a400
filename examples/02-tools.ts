// Tools are those of effect/ai: a schema for what the model may ask for, and a layer with the handlers, which may use services.
import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Logging, ModelFromEnvironment } from "./environment.ts"

class Weather extends Context.Service<
  Weather,
  { readonly of: (city: string) => Effect.Effect<{ readonly degrees: number; readonly sky: string }> }
>()("examples/Weather") {
  static readonly layer = Layer.succeed(Weather, {
    of: (city) => Effect.delay(Effect.succeed({ degrees: 10 + (city.length % 15), sky: "sunny" }), "500 millis")
  })
}

const GetWeather = Tool.make("get_weather", {
  description: "Tells the weather in a city.",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.Struct({ degrees: Schema.Finite, sky: Schema.String }),
  failure: Schema.String,
  failureMode: "return" // the model is told what went wrong, and can say so
})

const weather = Toolkit.make(GetWeather)

const WeatherTools = weather
  .toLayer(
    Effect.gen(function* () {
      const service = yield* Weather
      return weather.of({
        // runs beside the conversation: the agent can go on talking, and can be interrupted, meanwhile
        get_weather: ({ city }) => (city === "Atlantis" ? Effect.fail(`There is no ${city}.`) : service.of(city))
      })
    })
  )
  .pipe(Layer.provide(Weather.layer))

class Concierge extends BidiAgent.Service<Concierge>()("examples/Concierge", {
  instructions: "You are the concierge of a hotel. Answer in one sentence.",
  toolkit: Toolkit.merge(weather, BidiTools.toolkit)
}) {}

const Main = Effect.gen(function* () {
  const concierge = yield* Concierge
  yield* concierge.run({
    inputs: [BidiConsole.input()],
    outputs: [BidiConsole.output({ agent: "concierge" })],
    // a hook for each kind of event; it cannot fail, and cannot hold the conversation up
    hooks: [BidiAgent.on("ToolResult", (result) => Effect.logInfo(`${result.name} took part`))]
  })
})

Main.pipe(
  Effect.provide([Concierge.layer.pipe(Layer.provide([WeatherTools, BidiTools.layer, ModelFromEnvironment])), Logging]),
  NodeRuntime.runMain
)
