import { BidiAgent, BidiError, type BidiEvent } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

/** An agent whose model follows a script. */
export const agentWith = (script: BidiTest.Script, options?: BidiTest.ModelOptions) =>
  Effect.gen(function* () {
    const model = yield* BidiTest.model(script, options)
    const agent = yield* BidiAgent.make({}).pipe(Effect.provide(model.layer))
    return { agent, model }
  })

/** What was said, by whom. */
export const said = (events: ReadonlyArray<BidiEvent.Output>) =>
  events.flatMap((event) =>
    event._tag === "TranscriptStream" && event.isFinal ? [`${event.role}: ${event.currentTranscript}`] : []
  )

/** Why it failed, if with an error of ours. */
export const reasonOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error instanceof BidiError.BidiError ? error.reason._tag : undefined
}
