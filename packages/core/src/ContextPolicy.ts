/**
 * How much of the history a model is told when a connection is opened.
 *
 * A policy is a layer around the layer of a model. It leaves out whole exchanges, the oldest first: an exchange begins with
 * what the user says, and ends before the user speaks again, so that tool calls and their results stay together. The history
 * of the conversation, and the log of the session, stay whole.
 *
 * @example
 * ```ts
 * import { BidiModel, ContextPolicy } from "@effect-bidi/core"
 * import { Layer } from "effect"
 *
 * const withPolicy = <E, R>(model: Layer.Layer<BidiModel.BidiModel, E, R>) =>
 *   Layer.provide(ContextPolicy.keepLast(20), model)
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BidiModel } from "./BidiModel.ts"
import { beginsExchange } from "./internal/history/exchanges.ts"
import { sizeOf } from "./internal/history/shortening.ts"
import type { Transcript } from "./Transcript.ts"

/**
 * What of a history is told.
 *
 * @category models
 * @since 0.1.0
 */
export type ContextPolicy = (history: Transcript) => Effect.Effect<Transcript>

/**
 * A model that is told what a policy leaves of a history.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (policy: ContextPolicy): Layer.Layer<BidiModel, never, BidiModel> =>
  Layer.effect(
    BidiModel,
    Effect.map(BidiModel, (model) => ({
      ...model,
      connect: (setup) =>
        Effect.map(model.connect(setup), (connection) => ({
          id: connection.id,
          expiresAt: connection.expiresAt,
          seed: (history) => Effect.flatMap(policy(history), connection.seed),
          send: connection.send,
          sendAudio: connection.sendAudio.bind(connection),
          listen: connection.listen
        }))
    }))
  )

/**
 * Tells the last exchanges, so many.
 *
 * @category layers
 * @since 0.1.0
 */
export const keepLast = (exchanges: number): Layer.Layer<BidiModel, never, BidiModel> =>
  layer((history) =>
    Effect.sync(() => {
      const begins = beginnings(history)
      return begins.length <= exchanges ? history : history.slice(begins[begins.length - Math.max(1, exchanges)])
    })
  )

// Of English text; other scripts have fewer bytes for a token, and then less is told.
const BYTES_PER_TOKEN = 4

/**
 * Tells the last exchanges that fit into so many tokens, estimated at four bytes of UTF-8 each; always the last one.
 *
 * @category layers
 * @since 0.1.0
 */
export const tokenBudget = (tokens: number): Layer.Layer<BidiModel, never, BidiModel> =>
  layer((history) =>
    Effect.sync(() => {
      let room = tokens * BYTES_PER_TOKEN
      let end = history.length
      for (const begin of beginnings(history).toReversed()) {
        for (const entry of history.slice(begin, end)) room -= sizeOf(entry)
        if (room < 0 && end < history.length) return history.slice(end)
        end = begin
      }
      return history.slice(end)
    })
  )

// Where exchanges begin; what comes before the first one is one.
const beginnings = (history: Transcript): ReadonlyArray<number> =>
  history.flatMap((_, index) => (index === 0 || beginsExchange(history, index) ? index : []))
