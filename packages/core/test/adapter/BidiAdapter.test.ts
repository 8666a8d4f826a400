import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import { apiKey, type ApiKey, checked, keyOf, rules, url } from "@effect-bidi/core/adapter/BidiAdapter"
import { BidiError, ServerFault } from "@effect-bidi/core/BidiError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const errors = AdapterErrors.make("somebody")
const PATTERN = /^[a-z-]+$/
const Options = Schema.Struct({
  apiKey: apiKey(PATTERN),
  baseUrl: Schema.optional(url("http", "https")),
  low: Schema.optional(Schema.Finite),
  high: Schema.optional(Schema.Finite)
})
const check = checked(
  Options.check(
    rules<typeof Options.Type>([
      ({ high = 1, low = 0 }) => (low > high ? ["low", `Expected at most ${high}`] : undefined)
    ])
  ),
  errors
)
const SECRET = "a-secret"
const key = Redacted.make(SECRET)

describe("options", () => {
  const wrong: ReadonlyArray<readonly [options: object, option: string, message: string]> = [
    [{}, "apiKey", "Missing key"],
    [{ apiKey: SECRET }, "apiKey", 'Expected a Redacted value, such as Redacted.make("…")'],
    [{ apiKey: Redacted.make(" ") }, "apiKey", "it is empty"],
    [{ apiKey: Redacted.make(`${SECRET}\n${SECRET}`) }, "apiKey", "characters that no key has"],
    [{ apiKey: Redacted.make(7) }, "apiKey", "it is empty"],
    [{ apiKey: key, baseUrl: "nowhere" }, "baseUrl", "Expected a URL with http or https"],
    [{ apiKey: key, baseUrl: `ftp://${SECRET}` }, "baseUrl", "Expected a URL with http or https"],
    [{ apiKey: key, low: 2 }, "low", "Expected at most 1"],
    [{ apiKey: key, lo: 2 }, "lo", "There is no such option"]
  ]

  it.effect.each(wrong)("that are wrong are named and not quoted: %#", ([options, option, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(check(options))
      assert.deepInclude(error.reason, { _tag: "InvalidRequest", option })
      assert.include(error.reason.message, `${option}: `)
      assert.include(error.reason.message, message)
      assert.notInclude(error.message, SECRET)
    })
  )

  it.effect("are taken as they are", () =>
    Effect.gen(function* () {
      const options = { apiKey: Effect.succeed(key), baseUrl: "http://127.0.0.1:1/v1", high: 3, low: 2 }
      assert.deepStrictEqual(yield* check(options), options)
    })
  )
})

describe("a key", () => {
  const ask = (given: ApiKey) => keyOf(given, PATTERN, errors)

  it.effect("is without the white space around it, given or asked for", () =>
    Effect.gen(function* () {
      for (const given of [Redacted.make(` ${SECRET}\n`), Effect.succeed(Redacted.make(` ${SECRET}\n`))]) {
        assert.strictEqual(Redacted.value(yield* ask(given)), SECRET)
      }
    })
  )

  it.effect("is asked for every time", () =>
    Effect.gen(function* () {
      let asked = 0
      const key = ask(Effect.sync(() => Redacted.make("abc"[asked++]!)))
      assert.strictEqual(asked, 0)
      assert.deepStrictEqual([Redacted.value(yield* key), Redacted.value(yield* key)], ["a", "b"])
    })
  )

  it.effect("that nobody has is told as such, and as what was said of it", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(ask(Effect.fail(`no ${SECRET}`)))
      assert.strictEqual(missing.reason._tag, "Auth")
      assert.notInclude(missing.message, SECRET)
      const fault = new BidiError({ reason: new ServerFault({ message: "later" }) })
      assert.strictEqual(yield* Effect.flip(ask(Effect.fail(fault))), fault)
      const wrong = yield* Effect.flip(ask(Effect.succeed(Redacted.make("A B"))))
      assert.deepInclude(wrong.reason, { _tag: "InvalidRequest", option: "apiKey" })
    })
  )
})
