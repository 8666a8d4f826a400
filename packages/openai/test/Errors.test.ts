import { assert, describe, it } from "@effect/vitest"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Duration from "effect/Duration"
import { errors, KEY } from "./support/protocol.ts"

const reason = ({ reason }: BidiError) => reason._tag

describe("an error of the API", () => {
  it.each([
    ["invalid_request_error", "invalid_api_key", "Auth"],
    ["invalid_request_error", "account_deactivated", "Auth"],
    ["authentication_error", null, "Auth"],
    ["permission_error", null, "Auth"],
    ["invalid_request_error", "unsupported_country_region_territory", "Auth"],
    ["insufficient_quota", "insufficient_quota", "Quota"],
    ["insufficient_quota", null, "Quota"],
    ["invalid_request_error", "billing_hard_limit_reached", "Quota"],
    ["tokens", "rate_limit_exceeded", "RateLimited"],
    ["requests", null, "RateLimited"],
    ["invalid_request_error", "session_expired", "SessionExpired"],
    ["invalid_request_error", "invalid_value", "InvalidRequest"],
    ["invalid_request_error", null, "InvalidRequest"],
    ["transcription_error", "audio_unintelligible", "InvalidRequest"],
    ["server_error", null, "ServerFault"],
    ["invalid_request_error", "server_error", "ServerFault"],
    ["a_new_type", "a_new_code", "ServerFault"],
    [null, null, "ServerFault"]
  ])("of type %s and code %s is %s", (type, code, expected) => {
    const error = errors.api({ type, code, message: "no", param: null })
    assert.strictEqual(reason(error), expected)
    assert.strictEqual(error.reason.code, code ?? type ?? undefined)
    assert.strictEqual(error.provider, "openai")
  })

  it("names the parameter that is wrong", () => {
    const error = errors.api({ type: "invalid_request_error", message: "no", param: "session.audio.output.voice" })
    assert(error.reason._tag === "InvalidRequest")
    assert.strictEqual(error.reason.option, "session.audio.output.voice")
  })

  it.each([[undefined], [null], ["text"], [{}], [{ message: 1, code: [], type: {} }]])("may be anything: %j", (raw) => {
    assert.strictEqual(errors.api(raw).message, "openai: ServerFault: the provider gave no reason")
  })
})

describe("a refused handshake", () => {
  const now = Date.parse("2026-11-23T10:00:00Z")
  const refused = (status: number, body: unknown = "", retryAfter?: string) =>
    errors.refused({ status, retryAfter, now, body: typeof body === "string" ? body : JSON.stringify(body) })

  it.each([
    [401, "Auth"],
    [403, "Auth"],
    [402, "Quota"],
    [404, "InvalidRequest"],
    [400, "InvalidRequest"],
    [200, "InvalidRequest"],
    [301, "InvalidRequest"],
    [408, "ServerFault"],
    [429, "RateLimited"],
    [500, "ServerFault"],
    [503, "ServerFault"]
  ])("with HTTP %i is %s", (status, expected) => {
    const error = refused(status, "<html>no</html>")
    assert.strictEqual(reason(error), expected)
    assert.strictEqual(error.reason.message, `the connection was refused with HTTP ${status}`)
    assert.strictEqual(error.reason.code, String(status))
  })

  it.each([
    [429, { code: "insufficient_quota" }, "Quota"],
    [429, { type: "insufficient_quota" }, "Quota"],
    [403, { code: "model_not_found" }, "InvalidRequest"],
    [401, { code: "account_deactivated" }, "Auth"],
    [503, { type: "server_error" }, "ServerFault"]
  ])("with HTTP %i and %j is %s", (status, error, expected) => {
    assert.strictEqual(reason(refused(status, { error: { message: "no", ...error } })), expected)
  })

  it("says what the body says", () => {
    const error = refused(404, { error: { message: "No such model.", code: "model_not_found", param: null } })
    assert(error.reason._tag === "InvalidRequest")
    assert.strictEqual(error.reason.message, "the connection was refused with HTTP 404: No such model.")
    assert.strictEqual(error.reason.option, "model")
  })

  it.each([
    ["2", 2000],
    ["0.5", 500],
    ["-3", 0],
    ["Mon, 23 Nov 2026 10:00:30 GMT", 30_000],
    ["Mon, 23 Nov 2026 09:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined]
  ])("waits as long as it is told: %s", (retryAfter, millis) => {
    const error = refused(429, "", retryAfter)
    assert(error.reason._tag === "RateLimited")
    const { retryAfter: delay } = error.reason
    assert.strictEqual(delay === undefined ? undefined : Duration.toMillis(delay), millis)
  })
})

describe("a close", () => {
  it.each([
    [1000, "", "ConnectionLost"],
    [1001, "", "SessionExpired"],
    [1001, "Your session hit the maximum duration of 60 minutes.", "SessionExpired"],
    [1006, "", "ConnectionLost"],
    [1008, "policy", "ConnectionLost"],
    [1011, "internal error", "ServerFault"],
    [1012, "", "ServerFault"],
    [1013, "", "ServerFault"],
    [3000, "invalid_request_error.invalid_api_key", "Auth"],
    [4000, "session_expired", "SessionExpired"],
    [4000, "insufficient_quota: no credit", "Quota"],
    [4000, "invalid_request_error.invalid_intent", "InvalidRequest"],
    [4000, "invalid_request_error.missing_model", "InvalidRequest"],
    [4000, "invalid_request_error.beta_api_shape_disabled", "InvalidRequest"],
    [4000, "", "ConnectionLost"]
  ])("%i %j is %s", (code, text, expected) => {
    const error = errors.closed(code, text)
    assert.strictEqual(reason(error), expected)
    assert.strictEqual(error.reason.code, String(code))
    assert.include(error.message, text)
  })
})

describe("the key", () => {
  const leaky = `Incorrect API key provided: ${KEY}. (${KEY})`
  it.each([
    ["api", errors.api({ message: leaky, code: KEY, param: KEY, type: "invalid_request_error" })],
    [
      "refused",
      errors.refused({ status: 401, retryAfter: undefined, now: 0, body: `{"error":{"message":"${leaky}"}}` })
    ],
    ["closed", errors.closed(4000, leaky)],
    ["lost", errors.lost(leaky, KEY)],
    ["malformed", errors.malformed(leaky)],
    ["invalid", errors.invalid(KEY, leaky)],
    ["auth", errors.auth(leaky)]
  ])("is in no error, even if the provider repeats it: %s", (_, error) => {
    assert.include(error.message, "<redacted>")
    assert.notInclude(JSON.stringify(error) + error.message + String(error.stack), KEY)
  })
})
