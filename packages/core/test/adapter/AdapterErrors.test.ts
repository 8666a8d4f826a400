import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"

const SECRET = "sk/secret-0123456789"
const leaky = `no such key: ${SECRET}, ${encodeURIComponent(SECRET)}`
const errors = AdapterErrors.make("somebody", AdapterErrors.redacting(new Set([SECRET, ""])))

describe("an error", () => {
  it.each([
    ["ofKind", errors.ofKind("RateLimited", { message: leaky, code: SECRET, retryAfter: Duration.seconds(1) })],
    ["invalid", errors.invalid(SECRET, leaky)],
    ["unsupported", errors.unsupported("x", leaky)],
    ["auth", errors.auth(leaky)],
    ["lost", errors.lost(leaky, SECRET)],
    ["fault", errors.fault(leaky, SECRET)],
    ["malformed", errors.malformed(leaky)]
  ])("holds no secret, however it is written: %s", (_, error) => {
    const text = `${JSON.stringify(error)} ${error.message} ${error.stack}`
    assert.include(text, "no such key: <redacted>, <redacted>")
    assert.notInclude(text, SECRET)
    assert.notInclude(text, encodeURIComponent(SECRET))
    assert.strictEqual(error.provider, "somebody")
  })

  it("redacts secrets that came later", () => {
    const secrets = new Set<string>()
    const redact = AdapterErrors.redacting(secrets)
    assert.strictEqual(redact(SECRET), SECRET)
    secrets.add(SECRET)
    assert.strictEqual(redact(SECRET), "<redacted>")
  })

  it("names the option, and when to come again", () => {
    assert.deepInclude(errors.ofKind("InvalidRequest", { message: "no", option: "model" }).reason, { option: "model" })
    const { reason } = errors.ofKind("RateLimited", { message: "no", retryAfter: Duration.seconds(2) })
    assert.deepInclude(reason, { retryAfter: Duration.seconds(2) })
  })
})

it.each([
  [401, "Auth"],
  [403, "Auth"],
  [402, "Quota"],
  [429, "RateLimited"],
  [400, "InvalidRequest"],
  [404, "InvalidRequest"],
  [200, "InvalidRequest"],
  [408, "ServerFault"],
  [500, "ServerFault"],
  [503, "ServerFault"]
])("HTTP %i is %s", (status, kind) => assert.strictEqual(AdapterErrors.kindOfStatus(status), kind))

it.each([
  [1000, "ConnectionLost"],
  [1006, "ConnectionLost"],
  [1011, "ServerFault"],
  [1012, "ServerFault"],
  [1013, "ServerFault"],
  [1014, "ServerFault"],
  [4000, "ConnectionLost"]
])("a close with %i is %s", (code, kind) => assert.strictEqual(AdapterErrors.kindOfClose(code), kind))

const now = Date.parse("2026-11-23T10:00:00Z")

it.each([
  ["2", 2000],
  ["0.5", 500],
  ["-3", 0],
  ["999999999", 86_400_000],
  ["Mon, 23 Nov 2026 10:00:30 GMT", 30_000],
  ["Mon, 23 Nov 2026 09:00:00 GMT", 0],
  ["soon", undefined],
  [" ", undefined],
  [undefined, undefined]
])("Retry-After %j is %s ms", (header, millis) => {
  const delay = AdapterErrors.retryAfter(header, now)
  assert.strictEqual(delay === undefined ? undefined : Duration.toMillis(delay), millis)
})

it("Retry-After is no date without a clock", () => {
  assert.isUndefined(AdapterErrors.retryAfter("Mon, 23 Nov 2026 10:00:30 GMT"))
})
