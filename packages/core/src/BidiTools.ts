/**
 * Tools that most agents want.
 *
 * @example
 * ```ts
 * class Assistant extends BidiAgent.Service<Assistant>()("app/Assistant", { toolkit: BidiTools.toolkit }) {}
 *
 * const live = Assistant.layer.pipe(Layer.provide([BidiTools.layer, OpenAiRealtime.layerFromEnv()]))
 * ```
 *
 * @since 0.1.0
 */
import type * as McpClient from "effect/ai/McpClient"
import type { McpClientError } from "effect/ai/McpClientError"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { CurrentConversation } from "./CurrentConversation.ts"
import { evaluate } from "./internal/tools/calculator.ts"
import * as Mcp from "./internal/tools/mcp/toolkit.ts"

/**
 * `stop_conversation`: ends the conversation with the reason `user_request`, when what is being said has been heard, after
 * 10 seconds at the latest.
 *
 * @category tools
 * @since 0.1.0
 */
export const stopConversation = Tool.make("stop_conversation", {
  description: "Ends this conversation. Call it when the user asks to stop, end the conversation or hang up.",
  success: Schema.String,
  failureMode: "return",
  dependencies: [CurrentConversation]
})

/**
 * `current_time`: tells the date and time, in an IANA time zone or that of the machine.
 *
 * @category tools
 * @since 0.1.0
 */
export const currentTime = Tool.make("current_time", {
  description: "Tells the current date and time.",
  parameters: Schema.Struct({
    timezone: Schema.optionalKey(
      Schema.String.annotate({ description: "An IANA time zone such as Europe/Paris. Left out: the local one." })
    )
  }),
  success: Schema.Struct({ time: Schema.String, timezone: Schema.String }),
  failure: Schema.String,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

/**
 * `calculator`: calculates an arithmetic expression.
 *
 * @category tools
 * @since 0.1.0
 */
export const calculator = Tool.make("calculator", {
  description: "Calculates an arithmetic expression, such as 25 * 48, sqrt(2) ^ 3 or round(7 / 3, 2).",
  parameters: Schema.Struct({
    expression: Schema.String.annotate({ description: "Numbers, + - * / % ^, parentheses and common functions." })
  }),
  success: Schema.Finite,
  failure: Schema.String,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

/**
 * The toolkit of the three tools.
 *
 * @category toolkits
 * @since 0.1.0
 */
export const toolkit = Toolkit.make(stopConversation, currentTime, calculator)

const local = Effect.sync(() => Intl.DateTimeFormat().resolvedOptions().timeZone)

/**
 * The handlers of the three tools.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = toolkit.toLayer({
  stop_conversation: Effect.fnUntraced(function* () {
    const conversation = yield* CurrentConversation
    yield* Effect.timeoutOption(conversation.awaitSilence, "10 seconds")
    yield* conversation.stop("user_request")
    return "The conversation has ended."
  }),
  current_time: Effect.fnUntraced(function* ({ timezone }) {
    const id = timezone ?? (yield* local)
    const zone = DateTime.zoneMakeNamed(id)
    if (Option.isNone(zone)) return yield* Effect.fail(`There is no time zone "${id}".`)
    const now = DateTime.setZone(yield* DateTime.now, zone.value)
    return {
      time: DateTime.format(now, { dateStyle: "full", timeStyle: "short", locale: "en-GB" }),
      timezone: id
    }
  }),
  calculator: ({ expression }) => evaluate(expression)
})

/**
 * Options of the tools of an MCP server.
 *
 * @category models
 * @since 0.1.0
 */
export interface McpOptions {
  /** Is put before the name of every tool, such as `files_`: for agents with several servers. Default: nothing. */
  readonly prefix?: string
}

/**
 * A tool of an MCP server. The server gives the JSON Schema of its parameters; result and failure are text.
 *
 * @category models
 * @since 0.1.0
 */
export type McpTool = Tool.Tool<
  string,
  {
    readonly parameters: typeof Schema.Unknown
    readonly success: typeof Schema.String
    readonly failure: typeof Schema.String
    readonly failureMode: "return"
  }
>

/**
 * The tools of an MCP server, with their handlers.
 *
 * @category models
 * @since 0.1.0
 */
export type McpToolkit = Toolkit.WithHandler<Record<string, McpTool>>

/**
 * Makes a toolkit of the tools of an MCP server. Use it in place of `McpClient.toolkit`, which a picture, a name with a dot
 * or a restart of the server breaks:
 *
 * - The model gets all text of a result, and a note of pictures, recordings and binary data that were left out.
 * - A call that the server answers with `isError` fails with all of its text.
 * - A name that models do not take is changed to one that they take (`files.read` to `files_read`).
 * - If it is given the effect that makes a client, and the server has forgotten the session (404), a new one is opened and
 *   the call is made again, which the server did not take. If it is given a client, this call and all others fail.
 *
 * The calls have the timeout of other tools. Fails with what the server answers when it is asked for its tools.
 *
 * @example
 * ```ts
 * const open = McpClient.make({ name: "voice-agent", version: "1.0.0" }).pipe(
 *   Effect.provideServiceEffect(McpClient.Transport, McpClient.http({ url, protocol: McpProtocol.v2025_11_25 }))
 * )
 * const agent = yield* BidiAgent.make({ toolkit: BidiTools.mcp(open, { prefix: "files_" }) })
 * ```
 *
 * @category toolkits
 * @since 0.1.0
 */
export const mcp: {
  <E, R>(
    open: Effect.Effect<McpClient.McpClient, E, R>,
    options?: McpOptions
  ): Effect.Effect<McpToolkit, McpClientError | E, R | Scope.Scope>
  (client: McpClient.McpClient, options?: McpOptions): Effect.Effect<McpToolkit, McpClientError>
} = Mcp.make as never
