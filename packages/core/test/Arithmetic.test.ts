/** The language of the calculator: what binds tighter, what a percent sign means, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import { evaluate, Malformed } from "../src/internal/tools/arithmetic.ts"

describe("arithmetic", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 4 - 3", 3],
    ["100 / 10 / 5", 2],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["2 ^ -1", 0.5],
    ["2 * -3", -6],
    ["+-2", -2],
    ["5!", 120],
    ["2 ^ 3!", 64],
    ["-3!", -6],
    ["1e3 + .5 + 5.", 1005.5],
    ["2 pi", 2 * Math.PI],
    ["2(3)", 6],
    ["(2)(3)", 6],
    ["10%", 0.1],
    ["50 + 10%", 55],
    ["100 - 10%", 90],
    ["200 * 15%", 30],
    ["15% * 200", 30],
    ["10% + 1", 1.1],
    ["7 % 3", 1],
    ["-7 % 3", 2],
    ["mod(-7, 3)", 2],
    ["round(7 / 3, 2)", 2.33],
    ["round(1.005, 2)", 1.01],
    ["round(-2.5)", -3],
    ["log(8, 2)", 3],
    ["log(e)", 1],
    ["cbrt(-8)", -2],
    ["max(1, 2, 3) - min(1, 2, 3)", 2],
    ["sqrt(abs(-16))", 4],
    ["1 / 0", Infinity]
  ])("%s is %s", (expression, value) => {
    assert.strictEqual(evaluate(expression), value)
  })

  it.each([
    ["", "expected a number, but found the end"],
    ["25 *", "expected a number, but found the end"],
    ["(1 + 2", 'expected ")", but found the end'],
    ["12 3", 'expected an operator, but found "3"'],
    ["1, 2", 'expected an operator, but found ","'],
    ["x + 1", 'there is no "x"'],
    ["constructor(1)", 'there is no "constructor"'],
    ["sqrt 4", 'expected "(", but found "4"'],
    ["sqrt()", 'expected a number, but found ")"'],
    ["sqrt(1, 2)", "sqrt does not take 2 numbers"],
    ["mod(1)", "mod does not take 1 number"],
    ["0.5!", "! takes a whole number that is not negative"]
  ])("%s is refused: %s", (expression, message) => {
    assert.throws(() => evaluate(expression), Malformed, message)
  })
})
