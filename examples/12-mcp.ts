// Tools of an MCP server, here on this machine. For the model they are tools like any other.
import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
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

/** Opens a session with it: now, and again should the server forget it. */
const open = HttpServer.addressFormattedWith((address) =>
  McpClient.make({ name: "voice-agent", version: "1.0.0" }).pipe(
    Effect.provideServiceEffect(
      McpClient.Transport,
      McpClient.http({ url: `${address}/mcp`, protocol: McpProtocol.v2025_11_25 })
    )
  )
)

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({
    instructions: "You are a helpful voice assistant. Keep responses concise.",
    toolkit: BidiTools.mcp(open)
  })
  yield* agent.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] })
}).pipe(Effect.scoped)

Main.pipe(Effect.provide([Server, FetchHttpClient.layer, ModelFromEnvironment, Logging]), NodeRuntime.runMain)
