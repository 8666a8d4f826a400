/**
 * An input: a named stream of events towards the model.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Input } from "./BidiEvent.ts"
import { Inbox } from "./Inbox.ts"

/**
 * A named stream of input events. A conversation runs it in a fiber of its own from the moment the model is ready; when
 * the streams of all inputs have ended, the conversation ends once the reply in progress has been heard.
 *
 * The stream may use `CurrentConversation`. A stream that captures sound owns its mailbox: bounded in time, dropping
 * the oldest frame when full: see {@link capture}.
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
 * The stream of a device that calls back, such as a microphone. `open` acquires the device and gives `push` what it
 * hears; the stream ends when `open` does. At most `capacity` events wait for the conversation; one more, and the oldest
 * is dropped and `push` answers `false`. `push` may be called from anywhere, returns at once and never throws.
 *
 * It is `Stream.callback` with a sliding buffer, made for the pace of sound in hundreds of conversations.
 *
 * @example
 * ```ts
 * const microphone = BidiInput.make(
 *   "microphone",
 *   BidiInput.capture(
 *     (push) =>
 *       Effect.andThen(
 *         Effect.acquireRelease(
 *           Effect.sync(() => device.listen((audio) => push({ _tag: "AudioInput", audio, ...Audio.pcm(24_000) }))),
 *           (listening) => Effect.sync(() => listening.stop())
 *         ),
 *         Effect.never
 *       ),
 *     { capacity: 25 } // half a second
 *   )
 * )
 * ```
 *
 * @category streams
 */
export const capture = <E = never, R = never>(
  open: (push: (input: Input) => boolean) => Effect.Effect<void, E, R>,
  options: { readonly capacity: number }
): Stream.Stream<Input, E, Exclude<R, Scope.Scope>> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const inbox = new Inbox<Input, E | Cause.Done>(options.capacity, "sliding")
      const end = (exit: Exit.Exit<void, E>) =>
        Effect.sync(() => inbox.done(Exit.isSuccess(exit) ? Exit.fail(Cause.Done()) : Exit.failCause(exit.cause)))
      yield* open((input) => inbox.offer(input)).pipe(Effect.onExit(end), Effect.forkScoped({ startImmediately: true }))
      return Stream.fromPull(Effect.succeed(inbox.takeAll))
    })
  )

/**
 * @category utility types
 */
export type Error<T> = T extends BidiInput<infer E, infer _R> ? E : never

/**
 * @category utility types
 */
export type Services<T> = T extends BidiInput<infer _E, infer R> ? R : never
