/**
 * Inputs: named sources of events for the model.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Input } from "./BidiEvent.ts"
import { Inbox, type Consume, takeStream } from "./adapter/Inbox.ts"

/**
 * A named source of input events. The conversation runs it in a fiber of its own as soon as the model is ready. When all
 * inputs have ended, the conversation ends after the last reply has been heard. An input may use `CurrentConversation`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BidiInput<out E = never, out R = never> {
  readonly name: string
  /** Passes every event to `take`, one after the other, until the input ends. */
  readonly run: (take: Consume<Input>) => Effect.Effect<void, E, R>
}

/**
 * Makes an input from a stream.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = never, R = never>(name: string, stream: Stream.Stream<Input, E, R>): BidiInput<E, R> => ({
  name,
  run: (take) => takeStream(stream, take)
})

/**
 * Makes an input from a device with callbacks, such as a microphone. `open` acquires the device and calls `push` with every
 * frame; the input ends when `open` does. A frame of audio is on its way to the provider when `push` returns, without a
 * fiber. Behind something that takes time, such as a text, up to `capacity` events wait; then the oldest is dropped and
 * `push` returns `false`. `push` may be called from anywhere, returns at once and never throws.
 *
 * @example
 * ```ts
 * const microphone = BidiInput.capture(
 *   "microphone",
 *   (push) =>
 *     Effect.andThen(
 *       Effect.acquireRelease(
 *         Effect.sync(() => device.listen((audio) => push({ _tag: "AudioInput", audio, ...Audio.pcm(24_000) }))),
 *         (listening) => Effect.sync(() => listening.stop())
 *       ),
 *       Effect.never
 *     ),
 *   { capacity: 25 } // half a second
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const capture = <E = never, R = never>(
  name: string,
  open: (push: (input: Input) => boolean) => Effect.Effect<void, E, R>,
  options: { readonly capacity: number }
): BidiInput<E, Exclude<R, Scope.Scope>> => ({
  name,
  run: (take) =>
    Effect.suspend(() => {
      const inbox = new Inbox<Input, E | Cause.Done>(options.capacity, "sliding")
      const end = (exit: Exit.Exit<void, E>) =>
        Effect.sync(() => inbox.done(Exit.isSuccess(exit) ? Exit.fail(Cause.Done()) : Exit.failCause(exit.cause)))
      const device = open(inbox.offer.bind(inbox)).pipe(Effect.onExit(end))
      return Effect.andThen(Effect.forkScoped(device, { startImmediately: true }), inbox.forEach(take))
    }).pipe(
      Pull.catchDone(() => Effect.void),
      Effect.scoped
    )
})

/**
 * The error of an input.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Error<T> = T extends BidiInput<infer E, infer _R> ? E : never

/**
 * The services of an input.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Services<T> = T extends BidiInput<infer _E, infer R> ? R : never
