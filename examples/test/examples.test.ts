/** Three examples, which every run has; the others are in `all`. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { example, lines, run, sensible, talk } from "./support/run.ts"

describe.concurrent("examples", () => {
  example("01-quickstart talks, uses tools, remembers and stops", () =>
    Effect.gen(function* () {
      const { code, errors, out } = yield* run("01-quickstart.ts", {
        input: talk
      })
      assert.strictEqual(code, 0)
      assert.include(errors, "OPENAI_API_KEY") // it says how to talk to the real one
      sensible(out)
      assert.notInclude(out, "\x1b")
    })
  )

  example("06-service", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("06-service.ts", { input: "A table for four, please.\n" })
      assert.strictEqual(code, 0)
      assert.match(out, /booked: a table for 4\n$/)
    })
  )

  example("12-mcp", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("12-mcp.ts", { input: lines("What's the weather in London?") })
      assert.strictEqual(code, 0)
      assert.match(out, /✓ get_weather It is sunny in London\.\nagent: .*sunny/)
    })
  )
})
