/**
 * How a conversation ended, for `ConnectionClose` and for its caller. Pure functions.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { BidiError } from "../../BidiError.ts"
import type { CloseReason, ConnectionClose } from "../../BidiEvent.ts"

/** What is wrong with the session's log at the end: `error` says how much is missing, `failure` what it ended with before. */
export interface IncompleteLog {
  readonly error: BidiError
  readonly failure: BidiError | undefined
}

/** Whether it is the failure of the log that a conversation ended with. */
export const isFailureOf = (cause: Cause.Cause<unknown>, { failure }: IncompleteLog): boolean =>
  failure !== undefined && cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error === failure)

/** A log that fails ends the conversation before anybody knows how much of it will be missing. */
export const withMissing = (cause: Cause.Cause<unknown>, lost: IncompleteLog): Cause.Cause<unknown> =>
  Cause.map(cause, (error) => (error === lost.failure ? lost.error : error))

/** `lost` is what is wrong with the session's log, if anything is: an end that went well otherwise has not. */
export const closeEvent = (
  exit: Exit.Exit<CloseReason, unknown>,
  lost: IncompleteLog | undefined
): Pick<ConnectionClose, "reason" | "error" | "message"> => {
  if (Exit.isSuccess(exit)) return lost === undefined ? { reason: exit.value } : told("error", lost.error)
  if (Cause.hasInterruptsOnly(exit.cause))
    return lost === undefined ? { reason: "interrupted" } : told("interrupted", lost.error)
  const error = Cause.squash(lost === undefined ? exit.cause : withMissing(exit.cause, lost))
  return told(reasonOf(error), error)
}

const reasonOf = (error: unknown): CloseReason => {
  switch (error instanceof BidiError ? error.reason._tag : undefined) {
    case "SessionExpired":
    case "IdleTimeout":
      return "timeout"
    case "SessionTaken":
      return "superseded"
    default:
      return "error"
  }
}

const told = (reason: CloseReason, error: unknown) => ({
  reason,
  ...(error instanceof BidiError ? { error } : {}),
  message: wordsOf(error)
})

const wordsOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "message") && Predicate.isString(error.message) && error.message !== "") {
    return error.message
  }
  if (Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag)) return error._tag
  return Predicate.isString(error) ? error : "something failed"
}
