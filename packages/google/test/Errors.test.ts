import { assert, describe, it } from "@effect/vitest"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Duration from "effect/Duration"
import { endOf } from "../src/internal/state.ts"
import * as M from "./fixtures/messages.ts"
import { errors, events, KEY, start } from "./support/protocol.ts"

const tag = ({ reason }: BidiError) => reason._tag

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
    assert.strictEqual(tag(error), expected)
    assert.strictEqual(error.reason.message, `the connection was refused with HTTP ${status}`)
    assert.strictEqual(error.reason.code, String(status))
    assert.strictEqual(error.provider, "google")
  })

  it.each([
    [400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", "Auth"],
    [400, "Invalid JSON payload", "INVALID_ARGUMENT", "InvalidRequest"],
    [400, "User location is not supported", "FAILED_PRECONDITION", "InvalidRequest"],
    [429, "You exceeded your current quota", "RESOURCE_EXHAUSTED", "Quota"],
    [429, "Resource has been exhausted", "RESOURCE_EXHAUSTED", "RateLimited"],
    [401, "Request had invalid authentication", "UNAUTHENTICATED", "Auth"],
    [403, "no", "PERMISSION_DENIED", "Auth"],
    [404, "models/x is not found for API version v1beta", "NOT_FOUND", "InvalidRequest"],
    [503, "The model is overloaded.", "UNAVAILABLE", "ServerFault"],
    [500, "Internal error", "INTERNAL", "ServerFault"],
    // what the name says counts more than the status
    [400, "slow down", "RESOURCE_EXHAUSTED", "RateLimited"],
    [400, "later", "UNAVAILABLE", "ServerFault"],
    [418, "A new error", "A_NEW_STATUS", "InvalidRequest"]
  ])("with HTTP %i and %j (%s) is %s", (status, message, name, expected) => {
    const error = refused(status, { error: { code: status, message, status: name } })
    assert.strictEqual(tag(error), expected)
    assert.strictEqual(error.reason.code, name)
    assert.strictEqual(error.reason.message, `the connection was refused with HTTP ${status}: ${message}`)
  })

  it("names the model where that is what is wrong", () => {
    const { reason } = refused(404, { error: { message: "models/x is not found", status: "NOT_FOUND" } })
    assert(reason._tag === "InvalidRequest")
    assert.strictEqual(reason.option, "model")
    assert.isUndefined((refused(404, "no").reason as { option?: string }).option)
  })

  it("is told as a list, too", () => {
    assert.strictEqual(
      tag(refused(400, [{ error: { message: "API key expired", status: "INVALID_ARGUMENT" } }])),
      "Auth"
    )
  })

  it.each([["[]"], ["[1]"], ["null"], ["{"], ['{"error":"no"}'], ['{"error":{"message":7,"status":{}}}']])(
    "may say anything: %s",
    (body) => assert.strictEqual(refused(503, body).reason.message, "the connection was refused with HTTP 503")
  )

  const retryInfo = (retryDelay: unknown) => ({
    error: { message: "later", status: "RESOURCE_EXHAUSTED", details: [{ "@type": "x" }, { retryDelay }] }
  })

  it.each([
    ["7", "", 7000],
    ["Mon, 23 Nov 2026 10:00:30 GMT", "", 30_000],
    ["Mon, 23 Nov 2026 09:00:00 GMT", "", 0],
    ["999999999", "", 86_400_000],
    ["soon", "", undefined],
    [" ", "", undefined],
    [undefined, retryInfo("12.5s"), 12_500],
    ["3", retryInfo("12.5s"), 3000],
    [undefined, retryInfo("later"), undefined],
    [undefined, retryInfo(12), undefined],
    [undefined, { error: { details: "none" } }, undefined]
  ])("says when to come again: %j %j", (header, body, millis) => {
    const { reason } = refused(429, body, header)
    assert(reason._tag === "RateLimited")
    assert.deepStrictEqual(reason.retryAfter, millis === undefined ? undefined : Duration.millis(millis))
  })
})

describe("a close", () => {
  it.each([
    [1000, "", "ConnectionLost"],
    [1001, "", "ConnectionLost"],
    [1005, "", "ConnectionLost"],
    [1006, "", "ConnectionLost"],
    [1007, "Request contains an invalid argument.", "InvalidRequest"],
    [1007, "API key expired. Please renew the API key.", "Auth"],
    [1007, "The input token count exceeds the maximum", "InvalidRequest"],
    [1008, "Operation is not implemented, or supported, or enabled.", "ServerFault"],
    [1008, "The operation was aborted.", "ServerFault"],
    [1008, "Permission denied on resource", "Auth"],
    [
      1008,
      "Connection aborted because the client failed to close the connection after receiving a GoAway",
      "SessionExpired"
    ],
    [1011, "Internal error encountered.", "ServerFault"],
    [1011, "Deadline expired before operation could complete.", "SessionExpired"],
    [1011, "You exceeded your current quota", "Quota"],
    [1011, "Resource has been exhausted (e.g. check quota).", "RateLimited"],
    [1011, "RESOURCE_EXHAUSTED: You exceeded your current quota", "Quota"],
    [1011, "Quota of the project", "Quota"],
    [1011, "RESOURCE_EXHAUSTED: try again", "RateLimited"],
    [1012, "", "ServerFault"],
    [1013, "", "ServerFault"],
    [1014, "", "ServerFault"],
    [4000, "", "ConnectionLost"]
  ])("of a session in use with %i %j is %s", (code, reason, expected) => {
    const error = errors.closed(code, reason, "live")
    assert.strictEqual(tag(error), expected)
    assert.strictEqual(error.reason.code, String(code))
  })

  it("names the model where that is what is wrong", () => {
    const { reason } = errors.closed(1008, "models/x is not found for API version v1beta", "setup")
    assert(reason._tag === "InvalidRequest")
    assert.strictEqual(reason.option, "model")
    assert.isUndefined((errors.closed(1007, "no", "setup").reason as { option?: string }).option)
  })

  it.each([
    [errors.closed(1006, "", "live"), "SessionExpired"],
    [errors.closed(1011, "", "live"), "SessionExpired"],
    [errors.closed(1008, "aborted", "live"), "SessionExpired"],
    [errors.closed(1007, "no", "live"), "InvalidRequest"],
    [errors.closed(1011, "quota", "live"), "Quota"],
    [errors.tooSlow(1), "ConsumerTooSlow"]
  ])("that was announced is the announced one, unless it was something else: %s", (error, expected) => {
    const state = start()
    assert.strictEqual(endOf(state, error), error)
    events(state, M.goAway("50s"))
    assert.strictEqual(tag(endOf(state, error)), expected)
    assert.strictEqual(endOf(state, error).reason.code, error.reason.code)
  })
})

describe("the key", () => {
  it("is in no error", () => {
    const texts = [
      errors.refused({
        status: 401,
        retryAfter: undefined,
        now: 0,
        body: JSON.stringify({ error: { message: KEY, status: KEY } })
      }),
      errors.closed(1008, `?key=${KEY}`, "live"),
      errors.lost(KEY, KEY),
      errors.malformed(KEY),
      errors.refusedToAnswer(KEY),
      errors.invalid(KEY, KEY),
      errors.unsupported("x", KEY),
      errors.auth(KEY)
    ].map((error) => `${JSON.stringify(error)} ${error.message}`)
    for (const text of texts) {
      assert.notInclude(text, KEY)
      assert.include(text, "<redacted>")
    }
  })
})
