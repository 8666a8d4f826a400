/**
 * Tools that most agents want.
 *
 * @example
 * ```ts
 * class Assistant extends BidiAgent.Service<Assistant>()("app/Assistant", { toolkit: BidiTools.toolkit }) {}
 *
 * const live = Assistant.layer.pipe(Layer.provide([BidiTools.layer, OpenAiRealtime.layerConfig()]))
 * ```
 *
 * @since 0.1.0
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CurrentConversation } from "./CurrentConversation.ts"
import { evaluate } from "./internal/calculator.ts"

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
    yield* Effect.timeoutOption(conversation.quiet, "10 seconds")
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
