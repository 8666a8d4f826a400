/**
 * A test kit: whole conversations in virtual time.
 *
 * A scripted {@link model} replaces the provider, a scripted {@link caller} the person, and a virtual {@link speaker} the
 * sound card. All of them use the `Clock`: under `TestClock` a call of ten minutes takes milliseconds and is the same every
 * time.
 *
 * @example
 * ```ts
 * it.effect("remembers only what was heard", () =>
 *   Effect.gen(function* () {
 *     const model = yield* BidiTest.model(
 *       Effect.fnUntraced(function* (line) {
 *         yield* line.expectText("Tell me a story.")
 *         yield* line.reply({ text: "Once there was a fox.", audio: "5 seconds" })
 *         yield* line.wait("2 seconds")
 *         yield* line.hear("Stop!")
 *       })
 *     )
 *     const speaker = yield* BidiTest.speaker()
 *     const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
 *     const call = yield* agent.start({ outputs: [speaker.output] })
 *     yield* call.send("Tell me a story.")
 *     yield* BidiTest.advance("10 seconds")
 *     assert.deepStrictEqual(speaker.played(), Duration.seconds(2))
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Input, type Output, TextInput } from "./BidiEvent.ts"
import * as BidiInput from "./BidiInput.ts"
import type * as BidiOutput from "./BidiOutput.ts"
import { CurrentConversation } from "./CurrentConversation.ts"
import { allTags } from "./internal/events/tags.ts"
import * as Model from "./internal/testing/model.ts"
import * as Speaker from "./internal/testing/speaker.ts"
import * as Speech from "./internal/testing/speech.ts"
import * as Time from "./internal/testing/time.ts"
import type { ModelOptions, Script, TestModel } from "./TestModel.ts"

export type * from "./TestModel.ts"

/**
 * Makes a model that follows a script: the one given, for every connection (`line.generation` tells them apart).
 *
 * What the script does not expect is a defect. It fails the test when the scope of the test closes, even if nobody awaits
 * the conversation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const model: (script: Script, options?: ModelOptions) => Effect.Effect<TestModel> = Model.make

/**
 * Something a caller does: a string is typed, the events of a stream are sent.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = string | Stream.Stream<Input, never, CurrentConversation>

/**
 * Makes an input that does one step after the other, and then ends.
 *
 * @example
 * ```ts
 * BidiTest.caller("Tell me a story.", BidiTest.pause("3 seconds"), BidiTest.speech("1 second"), BidiTest.whenIdle, "Bye.")
 * ```
 *
 * @category constructors
 * @since 0.1.0
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
 * @since 0.1.0
 */
export const pause = (duration: Duration.Input): Stream.Stream<never> => Stream.fromEffectDrain(Effect.sleep(duration))

/**
 * Waits until the conversation is idle.
 *
 * @category steps
 * @since 0.1.0
 */
export const whenIdle: Stream.Stream<never, never, CurrentConversation> = Stream.fromEffectDrain(
  Effect.flatMap(CurrentConversation, (conversation) => conversation.awaitIdle)
)

/**
 * Speaks: frames of 20 ms of a loud tone, in the time of the clock and in the format that the model takes.
 *
 * @category steps
 * @since 0.1.0
 */
export const speech = (duration: Duration.Input): Stream.Stream<Input, never, CurrentConversation> =>
  Stream.unwrap(Effect.map(CurrentConversation, ({ model }) => Speech.speech(model.input, duration)))

/**
 * What was heard of an item.
 *
 * @category models
 * @since 0.1.0
 */
export interface Heard {
  readonly responseId: string
  readonly itemId: string
  readonly heard: Duration.Duration
}

/**
 * A speaker without a device.
 *
 * @category models
 * @since 0.1.0
 */
export interface VirtualSpeaker {
  readonly output: BidiOutput.BidiOutput
  /** What was heard so far, in order, item by item. */
  readonly heard: () => ReadonlyArray<Heard>
  /** How long it has played in total. */
  readonly played: () => Duration.Duration
  /** How often it was flushed. */
  readonly flushes: () => number
}

/**
 * Makes a speaker without a device. It plays in the time of the `Clock` (in virtual time under `TestClock`), can be
 * flushed and paused, and knows to the millisecond what was heard.
 *
 * @category constructors
 * @since 0.1.0
 */
export const speaker = (name = "speaker"): Effect.Effect<VirtualSpeaker> => Speaker.make(name)

/**
 * An output that keeps every event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder {
  readonly output: BidiOutput.BidiOutput
  /** Every event so far, in order. */
  readonly events: () => ReadonlyArray<Output>
}

/**
 * Makes an output that keeps every event, audio included, and takes no time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const recorder = (name = "recorder"): Recorder => {
  const events: Array<Output> = []
  return {
    output: {
      name,
      events: allTags,
      open: Effect.succeed({
        offer: (event) => void events.push(event),
        flush: Effect.void,
        playback: "none",
        run: Effect.void,
        end: Effect.void
      })
    },
    events: () => events
  }
}

/**
 * Lets every fiber run that can run without time passing.
 *
 * @category time
 * @since 0.1.0
 */
export const settle: Effect.Effect<void> = Time.settle

/**
 * Lets every fiber run, and then lets time pass, moment by moment. Use it in place of `TestClock.adjust`, which can pass the
 * moment for which a fiber is just about to sleep.
 *
 * @category time
 * @since 0.1.0
 */
export const advance: (duration: Duration.Input) => Effect.Effect<void> = Time.advance
export { replay, type Replayed, type ReplayOptions } from "./internal/testing/replay.ts"
