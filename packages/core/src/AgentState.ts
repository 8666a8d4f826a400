/**
 * Values of the application that belong to a session: what is in the basket, how far the caller has been identified.
 *
 * A value has a schema and a first value. Tools, hooks and whoever holds the conversation read and change it; a change is in
 * the log of the session before the effect that made it goes on, so that a later process finds it. Without a `sessionId`, or
 * without a store, it lives as long as the conversation.
 *
 * @example
 * ```ts
 * import { AgentState } from "@effect-bidi/core"
 * import { Effect, Schema } from "effect"
 *
 * const Basket = AgentState.make("basket", { schema: Schema.Array(Schema.String), initial: [] })
 *
 * // in the handler of a tool
 * const add = (item: string) => Effect.map(Basket.update((items) => [...items, item]), (items) => items.length)
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BidiError } from "./BidiError.ts"
import { CurrentConversation } from "./CurrentConversation.ts"

/**
 * A value of the application. Its effects need the conversation; outside of tools and hooks, provide the call as
 * `CurrentConversation`.
 *
 * @category models
 * @since 0.1.0
 */
export interface AgentState<A> {
  readonly key: string
  /** The value. Fails with `SchemaError` if the session's log holds one that its schema does not accept. */
  readonly get: Effect.Effect<A, Schema.SchemaError, CurrentConversation>
  /** Replaces the value; succeeds when the change is durable. Fails with `ConversationEnded` after the end. */
  readonly set: (value: A) => Effect.Effect<void, BidiError | Schema.SchemaError, CurrentConversation>
  /** Changes the value, and returns it when the change is durable. No other change comes in between. */
  readonly update: (change: (value: A) => A) => Effect.Effect<A, BidiError | Schema.SchemaError, CurrentConversation>
}

/**
 * Declares a value. `key` names it in the log of a session: values with the same key are the same value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  key: string,
  options: { readonly schema: Schema.Codec<A, any>; readonly initial: A }
): AgentState<A> => {
  const json = Schema.toCodecJson(options.schema)
  const encode = Schema.encodeEffect(json)
  const decode = Schema.decodeUnknownEffect(json)

  const get = Effect.flatMap(CurrentConversation, ({ state }) => {
    const value = state.get(key)
    return value === undefined ? Effect.succeed(options.initial) : decode(value)
  })

  const set = (value: A) =>
    Effect.gen(function* () {
      const { state } = yield* CurrentConversation
      yield* state.set(key, yield* encode(value))
    })

  return {
    key,
    get,
    set,
    update: (change) =>
      Effect.gen(function* () {
        const { state } = yield* CurrentConversation
        const value = yield* state.modify(key, (before) =>
          Effect.gen(function* () {
            const value = change(before === undefined ? options.initial : yield* decode(before))
            return [value, yield* encode(value)] as const
          })
        )
        return value
      })
  }
}
