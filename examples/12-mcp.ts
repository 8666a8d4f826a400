// Tools of an MCP server, here one on this machine: for the model they are tools like any other.
import { BidiAgent, BidiConsole } from "@effect-bidi/core"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Schema } from "effect"
import { McpClient, McpProtocol, McpServer, Tool, Toolkit } from "effect/ai"
import { FetchHttpClient, HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import { Logging, ModelFromEnvironment } from "./environment.ts"

const weather = Toolkit.make(
  Tool.make("get_weather", {
    description: "Tells the weather in a city.",
    parameters: Schema.Struct({ city: Schema.String }),
    success: Schema.String
  })
)

/** Somebody else's server. */
const Server = HttpRouter.serve(
  McpServer.layerHttp({
    name: "weather",
    version: "1.0.0",
    path: "/mcp",
    protocols: [McpProtocol.v2025_11_25],
    registrations: McpServer.toolkit(weather).pipe(
      Layer.provide(weather.toLayer({ get_weather: ({ city }) => Effect.succeed(`It is sunny in ${city}.`) }))
    )
  }),
  { disableLogger: true, disableListenLog: true }
).pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })))

const Client = Layer.unwrap(
  HttpServer.addressFormattedWith((address) =>
    Effect.succeed(
      McpClient.layerHttp({
        name: "voice-agent",
        version: "1.0.0",
        protocol: McpProtocol.v2025_11_25,
        url: `${address}/mcp`
      })
    )
  )
).pipe(Layer.provide([Server, FetchHttpClient.layer]))

const Main = Effect.gen(function* () {
  const client = yield* McpClient.McpClient
  const agent = yield* BidiAgent.make({
    system: "You are a helpful voice assistant. Keep responses concise.",
    toolkit: McpClient.toolkit(client)
  })
  yield* agent.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] })
})

Main.pipe(Effect.provide([Client, ModelFromEnvironment, Logging]), NodeRuntime.runMain)
