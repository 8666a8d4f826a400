/**
 * What hooks decide about a call before it is made.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BeforeTool, PendingToolCall, ToolDecision } from "../../ConversationOptions.ts"

const UNDECIDED: ToolDecision = { _tag: "Refuse", reason: "it could not be checked in time." }
const DIED: ToolDecision = { _tag: "Refuse", reason: "it could not be checked." }

/** One after the other, each about the input that the one before it left, until one refuses. */
export const decide = Effect.fnUntraced(function* (
  decisions: ReadonlyArray<BeforeTool>,
  { id, input, name }: PendingToolCall
) {
  let now = input
  for (const decision of decisions) {
    const decided = yield* one(decision, { id, name, input: now })
    if (decided._tag === "Refuse") return decided
    if (decided._tag === "Change") now = decided.input
  }
  return (now === input ? { _tag: "Proceed" } : { _tag: "Change", input: now }) satisfies ToolDecision as ToolDecision
})

const one = ({ decide, onTimeout, timeout }: BeforeTool, call: PendingToolCall) =>
  Effect.suspend(() => decide(call)).pipe(
    Effect.timeoutOption(timeout),
    Effect.flatMap((decision) => {
      if (Option.isSome(decision)) return Effect.succeed(decision.value)
      const decided: ToolDecision = onTimeout === "proceed" ? { _tag: "Proceed" } : UNDECIDED
      return Effect.as(
        Effect.logWarning(`nothing was decided in time about the tool ${call.name} (${call.id}): ${onTimeout}`),
        decided
      )
    }),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause)
        : Effect.as(Effect.logError(`a decision about the tool ${call.name} (${call.id}) died`, cause), DIED)
    )
  )
