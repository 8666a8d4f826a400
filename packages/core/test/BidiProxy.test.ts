import * as BidiProxy from "@effect-bidi/core/adapter/BidiProxy"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

const way = (variables: Record<string, string>, url: string) =>
  Effect.map(BidiProxy.fromConfig, (agentFor) => agentFor(new URL(url))).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))
  )

describe("NO_PROXY", () => {
  it.each([
    ["example.com", "https://example.com", true],
    ["example.com", "https://api.example.com/v1", true],
    ["example.com", "https://notexample.com", false],
    [".example.com", "https://api.example.com", true],
    ["*.example.com", "wss://api.example.com", true],
    ["API.example.com", "https://api.EXAMPLE.com", true],
    ["example.com:8443", "https://example.com:8443", true],
    ["example.com:8443", "https://example.com", false],
    ["example.com:443", "https://example.com", true],
    ["a.test, b.test c.test", "https://c.test", true],
    ["", "https://example.com", false],
    [" , ,", "https://example.com", false],
    [".", "https://example.com", false],
    ["*", "https://anything.test", true],
    ["127.0.0.1", "https://127.0.0.1:9000", true],
    ["::1", "https://[::1]", true],
    ["[::1]:9000", "https://[::1]:9000", true],
    ["[::1]:9000", "https://[::1]", false]
  ] as const)("%j and %s: %s", (list, url, exempt) => {
    assert.strictEqual(BidiProxy.isExempt(new URL(url), list), exempt)
  })
})

describe("HTTPS_PROXY", () => {
  it.effect("leads to addresses with TLS, in capitals or not, with its scheme or without", () =>
    Effect.gen(function* () {
      for (const name of ["HTTPS_PROXY", "https_proxy"]) {
        for (const proxy of ["http://proxy:3128", "proxy:3128", "https://ada:secret@proxy", " http://proxy "]) {
          assert.isDefined(yield* way({ [name]: proxy }, "https://api.openai.com/v1"))
          assert.isUndefined(yield* way({ [name]: proxy }, "http://127.0.0.1:8080"))
          assert.isUndefined(yield* way({ [name]: proxy, NO_PROXY: "openai.com" }, "https://api.openai.com/v1"))
        }
      }
      assert.isUndefined(yield* way({}, "https://api.openai.com/v1"))
      assert.isUndefined(yield* way({ HTTPS_PROXY: "" }, "https://api.openai.com/v1"))
    })
  )

  it.effect("that is none is refused, and never quoted", () =>
    Effect.gen(function* () {
      for (const proxy of ["socks5://ada:secret@proxy", "http://ada:secret@", "https://ada:secret@pro xy"]) {
        const error = yield* Effect.flip(way({ HTTPS_PROXY: proxy }, "https://api.openai.com"))
        assert.match(error.message, /HTTPS_PROXY: expected/)
        assert.notInclude(error.message, "secret")
      }
    })
  )
})
