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
import * as Mcp from "./internal/tools/mcp.ts"

/**
 * `stop_conversation`: ends the conversation with the reason `user_request`, after what is being said has been heard
 * (at most 10 seconds).
 *
 * @category tools
 */
export const stopConversation = Tool.make("stop_conversation", {
  description: "Ends this conversation. Call it when the user asks to stop, end the conversation or hang up.",
  success: Schema.String,
  failureMode: "return",
  dependencies: [CurrentConversation]
})

/**
 * `current_time`: the date and time, in an IANA time zone or that of the machine.
 *
 * @category tools
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
 * `calculator`: the value of an arithmetic expression.
 *
 * @category tools
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
 * All three.
 *
 * @category toolkits
 */
export const toolkit = Toolkit.make(stopConversation, currentTime, calculator)

const local = Effect.sync(() => Intl.DateTimeFormat().resolvedOptions().timeZone)

/**
 * The handlers of all three.
 *
 * @category layers
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

export type {
  /**
   * @category models
   */
  McpOptions,
  /**
   * A tool of an MCP server: its parameters are a JSON Schema of the server's, result and failure are text.
   *
   * @category models
   */
  McpTool,
  /**
   * @category models
   */
  McpToolkit
} from "./internal/tools/mcp.ts"

/**
 * The tools of an MCP server, as the toolkit of an agent. Instead of `McpClient.toolkit`, which a picture, a dotted name
 * or a restart of the server is enough to break:
 *
 * - All text of a result is told; a picture, a recording or binary data beside it is told as left out.
 * - A call that the server answers with `isError` fails with all of its text, and the model can read it.
 * - A name that models do not take is changed to one that they take (`files.read` to `files_read`).
 * - Given the effect that makes a client, a session that the server has forgotten (404) is opened anew, and the call that
 *   met it is made again: the server had not taken it. Given a client, that call fails, and so do all after it.
 *
 * The calls end in time like those of other tools (2 minutes unless said otherwise). Fails with what the server says when
 * it is asked for its tools.
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
 */
export const mcp: {
  <E, R>(
    open: Effect.Effect<McpClient.McpClient, E, R>,
    options?: Mcp.McpOptions
  ): Effect.Effect<Mcp.McpToolkit, McpClientError | E, R | Scope.Scope>
  (client: McpClient.McpClient, options?: Mcp.McpOptions): Effect.Effect<Mcp.McpToolkit, McpClientError>
} = Mcp.toolkit as never
