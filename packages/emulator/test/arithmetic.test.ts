import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { expressionIn } from "../src/internal/assistant/arithmetic.ts"
import { numbersIn, withDigits } from "../src/internal/assistant/numbers.ts"

it.each([
  ["Calculate 25 times 48", "25 * 48"],
  ["calculate twenty five times forty-eight", "25 * 48"],
  ["what is 15 percent of 80?", "15 / 100 * 80"],
  ["what's 2 plus 3 times 4", "2 + 3 * 4"],
  ["12 squared plus 3", "12 ^ 2 + 3"],
  ["3 to the power of 4", "3 ^ 4"],
  ["subtract 5 from 20", "20 - 5"],
  ["add 5 and 3", "5 + 3"],
  ["multiply 4 by 6", "4 * 6"],
  ["divide 10 by 4.", "10 / 4"],
  ["10 divided by 4", "10 / 4"],
  ["10 over 4", "10 / 4"],
  ["5 + 3 / (2-1)", "5 + 3 / (2 - 1)"],
  ["open paren 2 plus 3 close paren times 4", "(2 + 3) * 4"],
  ["what is one hundred and five over 7", "105 / 7"],
  ["how much is 1,200 minus 300", "1200 - 300"],
  ["square root of 16 plus 1", "sqrt(16) + 1"],
  ["3 point 5 times 2", "3.5 * 2"],
  ["3.5 times 2", "3.5 * 2"],
  ["half of 10", "(10 / 2)"],
  ["minus 5 plus 3", "-5 + 3"],
  ["2 times minus 3", "2 * -3"],
  ["calculate 25x48", "25 * 48"],
  ["the product of 3 and 4", "3 * 4"],
  ["two thousand and twenty four plus one", "2024 + 1"]
])("%s: %s", (text, expression) => assert.strictEqual(expressionIn(text), expression))

it.each([
  "what time is it",
  "I have 3 cats and 2 dogs",
  "one two three",
  "",
  "plus",
  "5",
  "(((",
  "2 + ) 3 times",
  "times 5"
])("there is no sum in: %s", (text) => assert.isUndefined(expressionIn(text)))

it.each([
  ["one", [1]],
  ["one hundred and five", [105]],
  ["three million two hundred thousand", [3_200_000]],
  ["twenty people and nineteen dogs", [20, 19]],
  ["minus 4 and -5.5", [-4, -5.5]],
  ["five twenty", [5, 20]],
  ["one and two", [1, 2]],
  ["1,234,567", [1_234_567]]
])("numbers in: %s", (text, numbers) => assert.deepStrictEqual(numbersIn(text), numbers))

it("text without numbers stays as it is", () => {
  assert.strictEqual(withDigits("The  quick, brown - fox!"), "The  quick, brown - fox!")
})

/** A random sum, in words and as it has to come out. */
const Operator = Schema.Literals(["plus", "minus", "times", "over"])
const Positive = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9_999_999 }))
const signs = { plus: "+", minus: "-", times: "*", over: "/" }

it.prop(
  "any chain of numbers and operators comes out whole",
  { first: Positive, rest: Schema.NonEmptyArray(Schema.Struct({ operator: Operator, number: Positive })) },
  ({ first, rest }) => {
    const words = rest.map(({ number, operator }) => `${operator} ${number}`).join(" ")
    const symbols = rest.map(({ number, operator }) => `${signs[operator]} ${number}`).join(" ")
    assert.strictEqual(expressionIn(`please calculate ${first} ${words} for me`), `${first} ${symbols}`)
  }
)
