/**
 * Options of a conversation that mean nothing, found where they are given. A function from values to values.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { BidiError, InvalidRequest } from "../../BidiError.ts"
import type { InterruptionOptions } from "../turns/interruptionPolicy.ts"
import type { ConnectionOptions } from "../connection/supervisor.ts"
import type { ConversationLimits } from "./limits.ts"

interface Given {
  readonly connection?: ConnectionOptions | undefined
  readonly interruption?: InterruptionOptions | undefined
  readonly limits?: ConversationLimits | undefined
}

/** The first option that is wrong. */
export const wrong = ({ connection = {}, interruption = {}, limits = {} }: Given): BidiError | undefined => {
  const renew = typeof connection.renew === "object" ? connection.renew : {}
  return (
    length("connection.timeout", connection.timeout, "above zero") ??
    length("connection.maxRetryAfter", connection.maxRetryAfter, "of zero or more") ??
    length("connection.renew.after", renew.after, "above zero") ??
    length("connection.renew.wait", renew.wait, "of zero or more") ??
    length("interruption.minDuration", interruption.minDuration, "of zero or more") ??
    length("interruption.falseInterruptionTimeout", interruption.falseInterruptionTimeout, "of zero or more") ??
    length("limits.userIdle", limits.userIdle, "above zero") ??
    length("limits.maxIdle", limits.maxIdle, "of zero or more") ??
    length("limits.maxDuration", limits.maxDuration, "of zero or more")
  )
}

const length = (option: string, given: unknown, expected: "above zero" | "of zero or more"): BidiError | undefined => {
  if (given === undefined) return undefined
  const duration = Number.isNaN(given) ? undefined : Option.getOrUndefined(Duration.fromInput(given as Duration.Input))
  const least = expected === "above zero" ? Duration.isPositive : (one: Duration.Duration) => !Duration.isNegative(one)
  if (duration !== undefined && least(duration)) return undefined
  const got = typeof given === "string" ? JSON.stringify(given) : String(given)
  const message = `${option}: expected a duration ${expected}, got ${got}`
  return new BidiError({ reason: new InvalidRequest({ option, message }) })
}
