/** The handler of `calculator`: arithmetic with a limit, and its answer as a person would write it. */
import * as Effect from "effect/Effect"
import { evaluate as valueOf, Malformed } from "./arithmetic.ts"

const MAX_LENGTH = 500

/** The value of an expression, to 14 digits, or what is wrong with it. */
export const evaluate = (expression: string): Effect.Effect<number, string> =>
  Effect.suspend(() => {
    if (expression.length > MAX_LENGTH) return Effect.fail(`The expression is longer than ${MAX_LENGTH} characters.`)
    try {
      const value = valueOf(expression)
      if (!Number.isFinite(value)) return Effect.fail(`The result is not a number: ${value}.`)
      // 0.1 + 0.2 is 0.3 to a person
      return Effect.succeed(Number(value.toPrecision(14)))
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      return Effect.fail(`"${expression}" cannot be calculated: ${error.message}.`)
    }
  })
