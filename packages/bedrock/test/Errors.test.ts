import { assert, describe, it } from "@effect/vitest"
import {
  AccessDeniedException,
  BedrockRuntimeServiceException,
  ModelTimeoutException,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException
} from "@aws-sdk/client-bedrock-runtime"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Duration from "effect/Duration"
import { isExpiry, isStale } from "../src/internal/errors.ts"
import { errors, SECRET } from "./support/protocol.ts"

const named = (name: string, message = "no", more: object = {}) => Object.assign(new Error(message), { name, ...more })
const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } })
const reason = ({ reason }: BidiError) => reason._tag

describe("an exception of the provider", () => {
  it.each([
    ["AccessDeniedException", "no", "Auth"],
    ["ExpiredTokenException", "no", "Auth"],
    ["UnrecognizedClientException", "no", "Auth"],
    ["InvalidSignatureException", "no", "Auth"],
    ["ServiceQuotaExceededException", "no", "Quota"],
    ["ThrottlingException", "Too many requests", "RateLimited"],
    ["ValidationException", "Malformed input request", "InvalidRequest"],
    ["ValidationException", "Tool Response parsing error", "InvalidRequest"],
    ["ValidationException", "Timed out waiting for input events", "IdleTimeout"],
    [
      "ValidationException",
      "RequestId=x : InternalErrorCode=531::RST_STREAM closed stream. HTTP/2 error code: NO_ERROR",
      "IdleTimeout"
    ],
    ["ValidationException", "System instability detected. Please retry your request.", "ServerFault"],
    ["ValidationException", "Chat history should be sent completely before streaming audio.", "ServerFault"],
    ["ResourceNotFoundException", "no", "InvalidRequest"],
    ["ModelTimeoutException", "Model has timed out in processing the request", "SessionExpired"],
    ["ModelStreamErrorException", "Model has timed out in processing the request.", "SessionExpired"],
    ["ModelStreamErrorException", "no", "ServerFault"],
    ["ModelErrorException", "no", "ServerFault"],
    ["ModelNotReadyException", "no", "ServerFault"],
    ["InternalServerException", "no", "ServerFault"],
    ["ServiceUnavailableException", "no", "ServerFault"],
    ["SomethingNewException", "no", "ServerFault"]
  ])("%s %j is %s", (name, message, expected) => {
    const refused = errors.refused(named(name, message), "trouble")
    assert.strictEqual(reason(refused), expected)
    assert.strictEqual(refused.reason.code, name)
    assert.strictEqual(refused.provider, "bedrock")
    assert.strictEqual(refused.reason.message, `the connection was refused: ${message}`)
    // as a frame it is named by the member of the union
    const frame = named(`${name.charAt(0).toLowerCase()}${name.slice(1)}`, message)
    const ended = errors.ended(frame, "trouble")
    assert.strictEqual(ended.reason.message, message)
    assert.strictEqual(ended.reason.code, name)
    const stale = ["ExpiredTokenException", "UnrecognizedClientException"].includes(name)
    assert.strictEqual(reason(ended), stale ? "SessionExpired" : expected)
    assert.deepStrictEqual([isStale(refused), isExpiry(ended)], [stale, stale])
  })

  it("is known by its class", () => {
    const options = { message: "no", $metadata: {} }
    for (const [error, expected] of [
      [new AccessDeniedException(options), "Auth"],
      [new ThrottlingException(options), "RateLimited"],
      [new ValidationException(options), "InvalidRequest"],
      [new ModelTimeoutException(options), "SessionExpired"],
      [new ServiceQuotaExceededException(options), "Quota"],
      [new BedrockRuntimeServiceException({ ...options, name: "ExpiredTokenException", $fault: "client" }), "Auth"]
    ] as const) {
      assert.strictEqual(reason(errors.refused(error, "trouble")), expected)
    }
  })

  it("names the model where it is the model", () => {
    for (const error of [
      named("ValidationException", "The provided model identifier is invalid."),
      named("ResourceNotFoundException", "Could not resolve the foundation model")
    ]) {
      const { reason } = errors.refused(error, "trouble")
      assert(reason._tag === "InvalidRequest")
      assert.strictEqual(reason.option, "model")
    }
    const { reason } = errors.refused(named("ValidationException"), "trouble")
    assert(reason._tag === "InvalidRequest" && reason.option === undefined)
  })

  it("that the SDK could not read is read", () => {
    const hint = "\n  Deserialization error: to see the raw response, inspect the hidden field {error}.$response"
    for (const message of [`{"message":"no"}${hint}`, '{"Message":"no"}']) {
      assert.strictEqual(errors.ended(named("ValidationException", message), "trouble").reason.message, "no")
    }
    for (const message of ["{}", ""]) {
      const { reason } = errors.ended(named("InternalServerException", message), "trouble")
      assert.strictEqual(reason.message, "the provider gave no reason")
    }
    assert.strictEqual(errors.ended(named("InternalServerException", "{no"), "trouble").reason.message, "{no")
  })

  it("says when to try again", () => {
    const after = (retryAfter: string | undefined) => {
      const response = { $response: { headers: { "retry-after": retryAfter } } }
      const { reason } = errors.refused(named("ThrottlingException", "no", response), "trouble")
      assert(reason._tag === "RateLimited")
      return reason.retryAfter
    }
    assert.deepStrictEqual(after("7"), Duration.seconds(7))
    assert.deepStrictEqual(after("1000000"), Duration.days(1))
    for (const none of ["", "soon", undefined]) assert.isUndefined(after(none))
  })

  it("gives advice about credentials where there is any", () => {
    assert.include(
      errors.refused(named("AccessDeniedException"), "trouble", undefined, "look there").message,
      "look there"
    )
    assert.notInclude(errors.refused(named("ThrottlingException"), "trouble", undefined, "look there").message, "look")
  })
})

describe("an answer without a name", () => {
  it.each([
    [401, "Auth"],
    [403, "Auth"],
    [402, "Quota"],
    [404, "InvalidRequest"],
    [408, "ServerFault"],
    [429, "RateLimited"],
    [500, "ServerFault"],
    [503, "ServerFault"]
  ])("with HTTP %i is %s", (code, expected) => {
    const html = named("SyntaxError", `Unexpected token '<', "<html>" is not valid JSON`, status(code))
    const error = errors.refused(html, "trouble")
    assert.strictEqual(reason(error), expected)
    assert.strictEqual(error.reason.message, `the connection was refused with HTTP ${code}`)
    assert.strictEqual(error.reason.code, String(code))
  })
})

describe("trouble on the way", () => {
  it.each([
    ["HTTP/2 stream is abnormally aborted in mid-communication with result code 2.", {}, undefined],
    ["Premature close", { code: "ERR_STREAM_PREMATURE_CLOSE" }, "ERR_STREAM_PREMATURE_CLOSE"],
    ["Session closed with error code 11", { code: "ERR_HTTP2_SESSION_ERROR" }, "ERR_HTTP2_SESSION_ERROR"],
    ["Truncated event message received.", {}, undefined],
    ["Request aborted", { name: "AbortError" }, undefined],
    ["x", { name: "TimeoutError" }, undefined],
    ["Unexpected token", { name: "SyntaxError", ...status(200) }, undefined]
  ])("%j is a lost connection", (message, more, code) => {
    const error = Object.assign(new Error(message), more)
    for (const lost of [errors.refused(error, "no way"), errors.ended(error, "no way")]) {
      assert.strictEqual(lost.message, "bedrock: ConnectionLost: no way")
      assert.strictEqual(lost.reason.code, code)
    }
    // what the operating system says is better known
    assert.strictEqual(errors.ended(error, "no way", "ECONNRESET").reason.code, "ECONNRESET")
    assert.strictEqual(errors.refused(error, "no way", "ECONNREFUSED").reason.code, "ECONNREFUSED")
  })

  it.each([[undefined], [null], ["text"], [7], [{}], [{ name: 7, message: [] }]])("may be anything: %j", (raw) => {
    assert.strictEqual(reason(errors.ended(raw, "no way")), "ConnectionLost")
    assert.strictEqual(reason(errors.refused(raw, "no way")), "ConnectionLost")
  })
})

describe("missing credentials", () => {
  it("are told as the SDK tells it", () => {
    const error = errors.noKeys(named("CredentialsProviderError", "Could not load credentials from any providers"))
    assert.strictEqual(
      error.message,
      "bedrock: Auth: there are no credentials: Could not load credentials from any providers"
    )
    const wrapped = new Error("Pipeline error in @aws-sdk/eventstream-handler-node: no", {
      cause: named("CredentialsProviderError", "no")
    })
    assert.strictEqual(reason(errors.refused(wrapped, "trouble")), "Auth")
  })

  it("may be the fault of a provider that is not the SDK's, and quotes nothing of it", () => {
    const error = errors.noKeys(new Error(`vault said ${SECRET}x`))
    assert.strictEqual(reason(error), "ConnectionLost")
    assert.strictEqual(error.reason.message, "the credential provider failed")
  })

  it("do not quote a command line", () => {
    const error = errors.noKeys(named("CredentialsProviderError", "Command failed: helper --password hunter2\nno"))
    assert.include(error.message, "the credential process failed")
    assert.notInclude(error.message, "hunter2")
  })
})

describe("secrets", () => {
  const leaky = `The request with ${SECRET} (${SECRET})`

  it.each([
    ["refused", errors.refused(named("AccessDeniedException", leaky), leaky)],
    ["ended", errors.ended(named("SomethingNewException", leaky), leaky)],
    ["trouble", errors.ended(new Error("x"), leaky, SECRET)],
    ["noKeys", errors.noKeys(named("CredentialsProviderError", leaky))],
    ["lost", errors.lost(leaky, SECRET)],
    ["malformed", errors.malformed(leaky)],
    ["unsupported", errors.unsupported("images", leaky)],
    ["invalid", errors.invalid(SECRET, leaky)]
  ])("are in no error, even if the provider repeats them: %s", (_, error) => {
    assert.include(error.message, "<redacted>")
    assert.notInclude(JSON.stringify(error) + error.message + String(error.stack), SECRET)
    assert.isUndefined((error as { cause?: unknown }).cause)
  })
})
