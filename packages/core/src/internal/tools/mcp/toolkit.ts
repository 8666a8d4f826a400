/**
 * The tools of an MCP server, as the toolkit of a voice agent.
 *
 * `McpClient.toolkit` of effect/ai 4.1 fails a call whose result holds a picture, gives only the first text of a failure,
 * refuses all tools for one name that models do not take, and does not recover from a session that the server has
 * forgotten. This module can go when it does.
 */
import type * as McpClient from "effect/ai/McpClient"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Calls from "./calls.ts"
import { namesFor } from "./names.ts"

type Client = McpClient.McpClient

/** `prefix` is put before the name of every tool. */
export const make = Effect.fnUntraced(function* <E, R>(
  client: Client | Effect.Effect<Client, E, R>,
  { prefix = "" }: { readonly prefix?: string } = {}
) {
  if (!Effect.isEffect(client)) return yield* toolkitOf(client, Calls.ofClient(client), prefix)
  const { call, client: first } = yield* Calls.ofSessions(client)
  return yield* toolkitOf(first, call, prefix)
})

const toolkitOf = Effect.fnUntraced(function* (client: Client, call: Calls.Call, prefix: string) {
  const remote = yield* client.listTools()
  const names = namesFor(remote.map(({ name }) => prefix + name))
  const tools = remote.map((tool, i) =>
    Tool.dynamic(names[i]!, {
      parameters: tool.inputSchema,
      description: tool.description,
      success: Schema.String,
      failure: Schema.String,
      failureMode: "return"
    }).annotate(Tool.Strict, false)
  )
  const handlers = Object.fromEntries(
    remote.map((tool, i) => [
      names[i]!,
      (input: unknown) =>
        Predicate.isReadonlyObject(input)
          ? call(tool, input as Record<string, unknown>)
          : Effect.fail("The arguments have to be a JSON object.")
    ])
  )
  const toolkit = Toolkit.make(...tools)
  return yield* Effect.provideContext(toolkit, yield* toolkit.toHandlers(handlers as never))
})
