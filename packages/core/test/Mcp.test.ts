import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as McpClient from "effect/ai/McpClient"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { namesFor } from "../src/internal/tools/mcp/names.ts"
import { mcpServer, type McpServerOptions, type RemoteTool } from "./support/mcpServer.ts"

const text = (...texts: ReadonlyArray<string>) => texts.map((text) => ({ type: "text", text }))
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

const tools: ReadonlyArray<RemoteTool> = [
  { name: "get_weather", result: ({ city }) => ({ content: text(`It is sunny in ${city}.`) }) },
  {
    name: "take_picture",
    result: () => ({
      content: [
        ...text("The garden, from above."),
        { type: "image", data: PIXEL, mimeType: "image/png" },
        { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
        { type: "resource_link", name: "plan", uri: "file:///plan.md", description: "How it is planted." },
        { type: "resource", resource: { uri: "file:///a.txt", mimeType: "text/plain", text: "Roses." } },
        { type: "resource", resource: { uri: "file:///a.bin", blob: "AAEC" } }
      ]
    })
  },
  { name: "count", result: () => ({ content: [], structuredContent: { roses: 3 } }) },
  {
    name: "draw",
    result: () => ({
      content: [{ type: "image", data: PIXEL, mimeType: "image/png" }],
      structuredContent: { width: 1 }
    })
  },
  { name: "fail", result: () => ({ isError: true, content: text("The gate is shut.", "Its key is under the mat.") }) },
  { name: "files.read", result: () => ({ content: text("a file with a dotted name") }) },
  { name: "files_read", result: () => ({ content: text("a file") }) },
  { name: "hang", result: () => undefined },
  { name: "slow", result: () => new Promise((resolve) => (answerSlow = resolve)) }
]

let answerSlow: (result: unknown) => void = () => undefined

const start = (options: Partial<McpServerOptions> = {}) =>
  Effect.gen(function* () {
    const server = yield* mcpServer({ tools, ...options })
    const open = McpClient.make({ name: "voice-agent", version: "1.0.0" }).pipe(
      Effect.provideServiceEffect(
        McpClient.Transport,
        McpClient.http({ url: server.url, protocol: McpProtocol.v2025_11_25 })
      ),
      Effect.provide(FetchHttpClient.layer)
    )
    return { open, server }
  })

/** A talk with the tools of a server. */
const talk = (options: Partial<McpServerOptions> & { readonly tools?: never; readonly timeout?: "100 millis" } = {}) =>
  Effect.gen(function* () {
    const { open, server } = yield* start(options)
    const model = yield* BidiTest.model((line) => line.accept)
    const agent = yield* BidiAgent.make({ toolkit: BidiTools.mcp(open) }).pipe(Effect.provide(model.layer))
    const call = yield* agent.start({ tools: { timeout: options.timeout ?? "10 seconds" } })
    return { agent, call, model, server }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

describe("tools of an MCP server", () => {
  it.live("are called, and told", () =>
    Effect.gen(function* () {
      for (const stream of [false, true]) {
        const { call } = yield* talk({ stream })
        assert.deepStrictEqual(yield* call.callTool("get_weather", { city: "Oslo" }), {
          result: "It is sunny in Oslo.",
          isFailure: false
        })
      }
    })
  )

  it.live("tell all text of a result, and what is left out", () =>
    Effect.gen(function* () {
      const { call } = yield* talk()
      const { isFailure, result } = yield* call.callTool("take_picture", {})
      assert.isFalse(isFailure)
      assert.deepStrictEqual(String(result).split("\n"), [
        "The garden, from above.",
        "[left out: a picture (image/png)]",
        "[left out: a recording (audio/wav)]",
        "plan: file:///plan.md",
        "How it is planted.",
        "Roses.",
        "[left out: the data of file:///a.bin]"
      ])
      assert.strictEqual((yield* call.callTool("count", {})).result, '{"roses":3}')
      assert.strictEqual((yield* call.callTool("draw", {})).result, '{"width":1}\n[left out: a picture (image/png)]')
    })
  )

  it.live("fail with all that the server says of it", () =>
    Effect.gen(function* () {
      const { call } = yield* talk()
      assert.deepStrictEqual(yield* call.callTool("fail", {}), {
        result: "The gate is shut.\nIts key is under the mat.",
        isFailure: true
      })
    })
  )

  it.live("have names that models take, and are called by their own", () =>
    Effect.gen(function* () {
      const { agent, call, server } = yield* talk()
      assert.includeMembers(Object.keys(agent.toolkit.tools), ["files_read", "files_read_2"])
      assert.strictEqual((yield* call.callTool("files_read", {})).result, "a file")
      assert.strictEqual((yield* call.callTool("files_read_2", {})).result, "a file with a dotted name")
      assert.deepStrictEqual(
        server.calls.map(({ name }) => name),
        ["files_read", "files.read"]
      )
    })
  )

  it.live.each([404, 400] as const)(
    "go on in a new session when the server has forgotten theirs (%i)",
    (unknownSession) =>
      Effect.gen(function* () {
        const { call, server } = yield* talk({ unknownSession })
        yield* call.callTool("get_weather", { city: "Oslo" })
        server.forgetSessions()
        const all = yield* Effect.all(
          ["Rome", "Paris", "Bern"].map((city) => call.callTool("get_weather", { city })),
          { concurrency: 3 }
        )
        assert.deepStrictEqual(
          all.map(({ result }) => result),
          ["It is sunny in Rome.", "It is sunny in Paris.", "It is sunny in Bern."]
        )
        assert.lengthOf(server.calls, 4) // each once
        assert.strictEqual(server.sessions(), 2) // and one session for all
        server.forgetSessions()
        assert.isFalse((yield* call.callTool("get_weather", { city: "Oslo" })).isFailure)
      })
  )

  it.live("that wait for an answer get it, though the server has forgotten the session meanwhile", () =>
    Effect.gen(function* () {
      const { call, server } = yield* talk()
      const slow = yield* Effect.forkChild(call.callTool("slow", {}))
      while (server.calls.length === 0) yield* Effect.sleep("5 millis")
      server.forgetSessions()
      assert.isFalse((yield* call.callTool("get_weather", { city: "Oslo" })).isFailure)
      assert.strictEqual(server.sessions(), 2)
      answerSlow({ content: text("At last.") })
      assert.deepStrictEqual(yield* Fiber.join(slow), { result: "At last.", isFailure: false })
    })
  )

  it.live("of a client that is given say that the session is gone", () =>
    Effect.gen(function* () {
      const { open, server } = yield* start()
      const kit = yield* BidiTools.mcp(yield* open)
      const model = yield* BidiTest.model((line) => line.accept)
      const agent = yield* BidiAgent.make({ toolkit: Effect.succeed(kit) }).pipe(Effect.provide(model.layer))
      const call = yield* agent.start()
      server.forgetSessions()
      assert.deepStrictEqual(yield* call.callTool("get_weather", { city: "Oslo" }), {
        result: "The MCP server has forgotten the session.",
        isFailure: true
      })
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

  it.live("that are never answered end in time, and the server is told", () =>
    Effect.gen(function* () {
      const { call, server } = yield* talk({ timeout: "100 millis" })
      const { isFailure, result } = yield* call.callTool("hang", {})
      assert.deepStrictEqual([isFailure, result], [true, "The tool took longer than 100ms and was stopped."])
      while (server.cancelled.length === 0) yield* Effect.sleep("5 millis")
    })
  )

  it.live("are an agent's like any other", () =>
    Effect.gen(function* () {
      const { open } = yield* start()
      const answered = yield* Deferred.make<unknown>()
      const model = yield* BidiTest.model(
        Effect.fnUntraced(function* (line) {
          assert.include(
            line.setup.tools.map(({ name }) => name),
            "garden_get_weather"
          )
          yield* line.callTools(["garden_get_weather", { city: "Oslo" }])
          yield* Deferred.succeed(answered, (yield* line.expect("ToolOutputs")).outputs[0]?.result)
        })
      )
      class Gardener extends BidiAgent.Service<Gardener>()("Gardener", {
        toolkit: BidiTools.mcp(open, { prefix: "garden_" })
      }) {}
      yield* Effect.gen(function* () {
        yield* (yield* Gardener).start()
        assert.strictEqual(yield* Deferred.await(answered), "It is sunny in Oslo.")
      }).pipe(Effect.provide(Layer.provide(Gardener.layer, model.layer)))
    })
  )

  it.prop(
    "have names that models take, each different, and good ones stay",
    { names: Schema.Array(Schema.Union([Schema.String, Schema.Literals(["a.b", "a_b", "a b", "a_b_2", "", "x"])])) },
    ({ names }) => {
      const made = namesFor(names)
      assert.strictEqual(new Set(made).size, names.length)
      for (const [i, name] of made.entries()) {
        assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/)
        if (/^[a-zA-Z0-9_-]{1,64}$/.test(names[i]!) && names.indexOf(names[i]!) === i)
          assert.strictEqual(name, names[i])
      }
    }
  )
})
