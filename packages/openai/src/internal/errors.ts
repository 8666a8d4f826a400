/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out.
 */
import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import * as Json from "@effect-bidi/core/adapter/Json"
import type { Refusal } from "@effect-bidi/core/adapter/WebSocketLine"
import type { BidiError } from "@effect-bidi/core/BidiError"

export const PROVIDER = "openai"

type Kind = AdapterErrors.Kind

// A code says more than its type: `session_expired` and `invalid_api_key` come as `invalid_request_error` too.
const byCode = new Map<string, Kind>([
  ["invalid_api_key", "Auth"],
  ["account_deactivated", "Auth"],
  ["invalid_organization", "Auth"],
  ["mismatched_organization", "Auth"],
  ["mismatched_project", "Auth"],
  ["unsupported_country_region_territory", "Auth"],
  ["insufficient_quota", "Quota"],
  ["billing_hard_limit_reached", "Quota"],
  ["billing_not_active", "Quota"],
  ["rate_limit_exceeded", "RateLimited"],
  ["session_expired", "SessionExpired"],
  ["server_error", "ServerFault"],
  ["model_not_found", "InvalidRequest"]
])

const byType = new Map<string, Kind>([
  ["authentication_error", "Auth"],
  ["permission_error", "Auth"],
  ["insufficient_quota", "Quota"],
  ["rate_limit_error", "RateLimited"],
  ["requests", "RateLimited"],
  ["tokens", "RateLimited"],
  ["invalid_request_error", "InvalidRequest"],
  // speech that cannot be understood is no fault of the server
  ["transcription_error", "InvalidRequest"],
  ["server_error", "ServerFault"]
])

export interface Errors extends AdapterErrors.AdapterErrors {
  /** An error in the provider's own shape: `{ type, code, message, param }`, none of it trusted. */
  readonly api: (error: unknown) => BidiError
  /** The same of one thing that we asked for, and that somebody waits for. */
  readonly refusal: (error: unknown) => BidiError
  readonly unanswered: () => BidiError
  /** The server speaks the protocol of before. */
  readonly outdated: (type: string) => BidiError
  readonly refused: (refusal: Refusal) => BidiError
  readonly closed: (code: number, reason: string) => BidiError
}

/** Errors from before there is a key: they quote no value. */
export const keyless = AdapterErrors.make(PROVIDER)

/** Errors without this key in any text. */
export const make = (secret: string): Errors => {
  const errors = AdapterErrors.make(PROVIDER, AdapterErrors.redacting([secret]))
  const { fault, ofKind } = errors

  const told = ({ code, message = "the provider gave no reason", param, type }: Shape) => ({
    message,
    code: code ?? type,
    option: param
  })

  return {
    ...errors,
    api: (raw) => {
      const shape = shapeOf(raw)
      return ofKind(byCode.get(shape.code ?? "") ?? byType.get(shape.type ?? "") ?? "ServerFault", told(shape))
    },
    refusal: (raw) => ofKind("InvalidRequest", told(shapeOf(raw))),
    unanswered: () => fault("the provider was asked for a reply twice, and neither began one nor refused", "no_reply"),
    outdated: (type) =>
      fault(
        `the server speaks the beta of the protocol (${type}), whose replies are not understood: expected the events of the GA interface, such as response.output_audio.delta; set baseUrl to a server that has them`,
        "beta_events"
      ),
    refused: ({ body, now, retryAfter, status }) => {
      const { code, message, param, type } = shapeOf(Json.parse(body)?.error)
      const byName = byCode.get(code ?? "") ?? (byType.get(type ?? "") === "Quota" ? "Quota" : undefined)
      return ofKind(byName ?? AdapterErrors.kindOfStatus(status), {
        message: `the connection was refused with HTTP ${status}${message === undefined ? "" : `: ${message}`}`,
        code: code ?? String(status),
        option: param ?? (code === "model_not_found" ? "model" : undefined),
        retryAfter: AdapterErrors.retryAfter(retryAfter, now)
      })
    },
    closed: (code, reason) => {
      const named = reason.match(/[a-z]+(_[a-z]+)+/g)?.flatMap((word) => byCode.get(word) ?? [])[0]
      return ofKind(named ?? kindOfClose(code, reason), {
        message: `the connection was closed (${code}${reason === "" ? "" : `: ${reason}`})`,
        code: String(code)
      })
    }
  }
}

// What remains when the error event before the close is lost: `invalid_request_error.beta_api_shape_disabled`; 1001 is how
// the hour ends.
const kindOfClose = (code: number, reason: string): Kind => {
  if (/^invalid_request_error\b/.test(reason)) return "InvalidRequest"
  if (code === 1001 || /\bmaximum duration\b/.test(reason)) return "SessionExpired"
  return AdapterErrors.kindOfClose(code)
}

type Shape = { readonly [K in "code" | "message" | "param" | "type"]: string | undefined }

const shapeOf = (raw: unknown): Shape => {
  const error = Json.isFields(raw) ? raw : {}
  const text = (key: string) => Json.filledText(error, key)
  return { code: text("code"), message: text("message"), param: text("param"), type: text("type") }
}
