/**
 * A test kit: whole conversations in virtual time.
 *
 * A scripted {@link model} stands in for the provider, a scripted {@link caller} for the person, a virtual
 * {@link speaker} for the sound card. All of them live in the time of the `Clock`; under `TestClock` a call of ten
 * minutes takes milliseconds and goes the same way every time.
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
export * from "./internal/testing/caller.ts"
export * from "./internal/testing/model.ts"
export * from "./internal/testing/speaker.ts"
export * from "./internal/testing/time.ts"
