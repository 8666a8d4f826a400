/** Examples that talk over a sound card of software. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hasCard, run, sensible, talk } from "../support/run.ts"

describe.concurrent("examples", () => {
  for (const [name, ...args] of [["11-voice"], ["01-quickstart", "--voice", "--text"]] as const) {
    it.live.skipIf(!hasCard)(
      `${[name, ...args].join(" ")} talks over a sound card`,
      () =>
        Effect.gen(function* () {
          const { code, errors, out } = yield* run(`${name}.ts`, { input: talk, args, card: true })
          assert.strictEqual(code, 0, errors)
          assert.notInclude(errors, "please type")
          sensible(out)
        }),
      120_000
    )
  }
})
