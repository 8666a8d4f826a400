/**
 * An input: a named stream of events towards the model.
 *
 * @since 0.1.0
 */
import type * as Stream from "effect/Stream"
import type { Input } from "./BidiEvent.ts"

/**
 * A named stream of input events. A conversation runs it in a fiber of its own from the moment the model is ready; when
 * the streams of all inputs have ended, the conversation ends once the reply in progress has been heard.
 *
 * The stream may use `CurrentConversation`. A stream that captures sound owns its mailbox: bounded in time, dropping
 * the oldest frame when full (`Stream.callback(open, { bufferSize, strategy: "sliding" })`).
 *
 * @category models
 */
export interface BidiInput<out E = never, out R = never> {
  readonly name: string
  readonly stream: Stream.Stream<Input, E, R>
}

/**
 * Names a stream.
 *
 * @category constructors
 */
export const make = <E = never, R = never>(name: string, stream: Stream.Stream<Input, E, R>): BidiInput<E, R> => ({
  name,
  stream
})

/**
 * @category utility types
 */
export type Error<T> = T extends BidiInput<infer E, infer _R> ? E : never

/**
 * @category utility types
 */
export type Services<T> = T extends BidiInput<infer _E, infer R> ? R : never
