/**
 * A caller that follows a script.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"
import { type Input, TextInput } from "../../BidiEvent.ts"
import * as BidiInput from "../../BidiInput.ts"
import { CurrentConversation } from "../../CurrentConversation.ts"

/**
 * Something a caller does: a string is typed, a stream of events is sent.
 *
 * @category models
 */
export type Step = string | Stream.Stream<Input, never, CurrentConversation>

/**
 * An input that does one step after the other, and then ends.
 *
 * @example
 * ```ts
 * BidiTest.caller("Tell me a story.", BidiTest.pause("3 seconds"), BidiTest.speech("1 second"), BidiTest.whenIdle, "Bye.")
 * ```
 *
 * @category constructors
 */
export const caller = (...steps: ReadonlyArray<Step>): BidiInput.BidiInput<never, CurrentConversation> =>
  BidiInput.make(
    "caller",
    steps.reduce<Stream.Stream<Input, never, CurrentConversation>>(
      (all, step) =>
        Stream.concat(all, typeof step === "string" ? Stream.succeed(TextInput.make({ text: step })) : step),
      Stream.empty
    )
  )

/**
 * Says nothing for a while.
 *
 * @category steps
 */
export const pause = (duration: Duration.Input): Stream.Stream<never> => Stream.fromEffectDrain(Effect.sleep(duration))

/**
 * Waits until the agent has finished.
 *
 * @category steps
 */
export const whenIdle: Stream.Stream<never, never, CurrentConversation> = Stream.fromEffectDrain(
  Effect.flatMap(CurrentConversation, (conversation) => conversation.awaitIdle)
)

/**
 * Speaks: frames of 20 ms of a loud tone, in the time of the clock and in the format the model takes.
 *
 * @category steps
 */
export const speech = (duration: Duration.Input): Stream.Stream<Input, never, CurrentConversation> =>
  Stream.unwrap(
    Effect.map(CurrentConversation, ({ model }) => {
      const size = Audio.bytes(model.input, "20 millis")
      const frames = Math.ceil(Audio.bytes(model.input, duration) / size)
      return Stream.range(1, frames).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((n) => Effect.as(Effect.sleep("20 millis"), frame(model.input, size, n)))
      )
    })
  )

const frame = (format: Audio.AudioFormat, size: number, n: number): Input => {
  const audio = new Uint8Array(size)
  for (let i = 0; i < size; i++) audio[i] = (n * size + i) % 2 === 0 ? 0 : (n * 7 + i) % 64
  return { _tag: "AudioInput", audio, ...format }
}
