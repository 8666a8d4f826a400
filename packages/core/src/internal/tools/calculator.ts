/**
 * Arithmetic by a library that parses, reduced to what arithmetic is: no assignments, no ranges, no matrices, no
 * functions that could run for ever.
 */
import * as Effect from "effect/Effect"
import type { MathNode } from "mathjs"

const LONGEST = 500
const OPERATORS = new Set(["+", "-", "*", "/", "%", "^", "!"])
const CONSTANTS = new Set(["pi", "e", "tau"])
const FUNCTIONS = new Set(
  "abs cbrt ceil cos acos exp floor log log10 log2 max min mod pow round sign sin asin sqrt tan atan".split(" ")
)

/** The value of an expression, to 14 digits, or what is wrong with it. */
export const evaluate = Effect.fnUntraced(function* (expression: string): Effect.fn.Return<number, string> {
  if (expression.length > LONGEST) return yield* Effect.fail(`The expression is longer than ${LONGEST} characters.`)
  const { format, parse } = yield* Effect.promise(() => import("./arithmetic.ts"))
  const value: unknown = yield* Effect.try({
    try: () => {
      const tree = parse(expression)
      tree.traverse(check)
      return tree.evaluate()
    },
    catch: (error) => (error instanceof Error ? error.message : String(error))
  })
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return yield* Effect.fail(`The result is not a number: ${String(value)}.`)
  }
  // 0.1 + 0.2 is 0.3 to a person
  return Number(format(value, { precision: 14 }))
})

const check = (node: MathNode): void => {
  if (!isArithmetic(node)) throw new Error(`Only arithmetic can be calculated, not "${node.toString()}".`)
}

const isArithmetic = (node: MathNode): boolean => {
  const { fn, name, op } = node as MathNode & { op?: string; name?: string; fn?: { name?: string } }
  switch (node.type) {
    case "ConstantNode":
      return typeof (node as { value?: unknown }).value === "number"
    case "ParenthesisNode":
      return true
    case "OperatorNode":
      return op !== undefined && OPERATORS.has(op)
    case "FunctionNode":
      return fn?.name !== undefined && FUNCTIONS.has(fn.name)
    case "SymbolNode":
      return name !== undefined && (CONSTANTS.has(name) || FUNCTIONS.has(name))
    default:
      return false
  }
}
