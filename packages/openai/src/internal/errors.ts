/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out.
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import {
  Auth,
  BidiError,
  ConnectionLost,
  ConsumerTooSlow,
  InvalidRequest,
  Quota,
  RateLimited,
  type Reason,
  ServerFault,
  SessionExpired
} from "@effect-bidi/core/BidiError"

export const PROVIDER = "openai"

type Kind = "Auth" | "Quota" | "RateLimited" | "InvalidRequest" | "SessionExpired" | "ServerFault"

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

const byStatus = (status: number): Kind => {
  if (status === 401 || status === 403) return "Auth"
  if (status === 402) return "Quota"
  if (status === 429) return "RateLimited"
  return status === 408 || status >= 500 ? "ServerFault" : "InvalidRequest"
}

// RFC 6455: internal error, service restart, try again later
const serverCloses = new Set([1011, 1012, 1013])

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** An answer to the handshake that is no connection. */
export interface Refusal {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
  /** Milliseconds of the epoch, for a `retry-after` that is a date. */
  readonly now: number
}

export interface Errors {
  /** An option or a setting is wrong; `option` names it. */
  readonly invalid: (option: string, message: string) => BidiError
  readonly auth: (message: string) => BidiError
  readonly lost: (message: string, code?: string) => BidiError
  readonly tooSlow: (capacity: number) => BidiError
  /** A frame that does not say what a frame of its kind says. */
  readonly malformed: (what: string) => BidiError
  /** An error in the provider's own shape: `{ type, code, message, param }`, none of it trusted. */
  readonly api: (error: unknown) => BidiError
  /** The same of one thing that we asked for, and that somebody waits for. */
  readonly refusal: (error: unknown) => BidiError
  readonly unanswered: () => BidiError
  /** The server speaks the protocol of before. */
  readonly outdated: (type: string) => BidiError
  readonly refused: (refusal: Refusal) => BidiError
  readonly closed: (code: number, reason: string) => BidiError
  readonly redact: (text: string) => string
}

/** Takes `secret` out of texts. */
export const redacting =
  (secret: string) =>
  (text: string): string =>
    secret === "" ? text : text.replaceAll(secret, "<redacted>")

export const make = (redact: (text: string) => string): Errors => {
  const error = (reason: Reason) => new BidiError({ reason, provider: PROVIDER })

  const fields = (message: string, code: string | undefined) => ({
    message: redact(message),
    ...(code === undefined ? {} : { code: redact(code) })
  })

  const ofKind = (
    kind: Kind,
    message: string,
    code: string | undefined,
    more: { readonly option?: string | undefined; readonly retryAfter?: Duration.Duration | undefined }
  ): BidiError => {
    const { option, retryAfter } = more
    const told = fields(message, code)
    switch (kind) {
      case "Auth":
        return error(new Auth(told))
      case "Quota":
        return error(new Quota(told))
      case "RateLimited":
        return error(new RateLimited(retryAfter === undefined ? told : { ...told, retryAfter }))
      case "InvalidRequest":
        return error(new InvalidRequest(option === undefined ? told : { ...told, option: redact(option) }))
      case "SessionExpired":
        return error(new SessionExpired(told))
      case "ServerFault":
        return error(new ServerFault(told))
    }
  }

  const api = (raw: unknown): BidiError => {
    const { code, message, param, type } = shapeOf(raw)
    const kind = byCode.get(code ?? "") ?? byType.get(type ?? "") ?? "ServerFault"
    return ofKind(kind, message ?? "the provider gave no reason", code ?? type, { option: param })
  }

  const refusal = (raw: unknown): BidiError => {
    const { code, message, param, type } = shapeOf(raw)
    return ofKind("InvalidRequest", message ?? "the provider gave no reason", code ?? type, { option: param })
  }

  const refused = ({ body, now, retryAfter, status }: Refusal): BidiError => {
    const { code, message, param, type } = shapeOf(errorOf(body))
    const kind = byCode.get(code ?? "") ?? (byType.get(type ?? "") === "Quota" ? "Quota" : byStatus(status))
    const told = `the connection was refused with HTTP ${status}${message === undefined ? "" : `: ${message}`}`
    return ofKind(kind, told, code ?? String(status), {
      option: param ?? (code === "model_not_found" ? "model" : undefined),
      retryAfter: delayOf(retryAfter, now)
    })
  }

  const closed = (code: number, reason: string): BidiError => {
    const told = `the connection was closed (${code}${reason === "" ? "" : `: ${reason}`})`
    const named = reason.match(/[a-z]+(_[a-z]+)+/g)?.flatMap((word) => byCode.get(word) ?? [])[0]
    // what remains when the error event before the close is lost
    const kind = named ?? kindOfClose(code, reason)
    if (kind !== undefined) return ofKind(kind, told, String(code), {})
    return serverCloses.has(code)
      ? error(new ServerFault(fields(told, String(code))))
      : error(new ConnectionLost(fields(told, String(code))))
  }

  return {
    invalid: (option, message) => error(new InvalidRequest({ ...fields(message, undefined), option: redact(option) })),
    auth: (message) => error(new Auth(fields(message, undefined))),
    lost: (message, code) => error(new ConnectionLost(fields(message, code))),
    tooSlow: (capacity) =>
      error(
        new ConsumerTooSlow({
          message: `more than ${capacity} frames wait to be read`,
          consumer: "the reader of the connection",
          capacity
        })
      ),
    malformed: (what) => error(new ServerFault(fields(what, "malformed_frame"))),
    api,
    refusal,
    unanswered: () =>
      error(
        new ServerFault(
          fields("the provider was asked for a reply twice, and neither began one nor refused", "no_reply")
        )
      ),
    outdated: (type) =>
      error(
        new ServerFault(
          fields(
            `the server speaks the beta of the protocol (${type}), whose replies are not understood: expected the events of the GA interface, such as response.output_audio.delta; set baseUrl to a server that has them`,
            "beta_events"
          )
        )
      ),
    refused,
    closed,
    redact
  }
}

// `invalid_request_error.beta_api_shape_disabled`; 1001 is how the hour ends
const kindOfClose = (code: number, reason: string): Kind | undefined => {
  if (/^invalid_request_error\b/.test(reason)) return "InvalidRequest"
  return code === 1001 || /\bmaximum duration\b/.test(reason) ? "SessionExpired" : undefined
}

const shapeOf = (raw: unknown) => {
  const { code, message, param, type } = Predicate.isObject(raw) ? (raw as Record<string, unknown>) : {}
  return { code: text(code), message: text(message), param: text(param), type: text(type) }
}

const errorOf = (body: string): unknown => {
  try {
    return (JSON.parse(body) as { readonly error?: unknown } | null)?.error
  } catch {
    return undefined
  }
}

// seconds, or a date (RFC 9110)
const withinADay = { minimum: Duration.zero, maximum: Duration.days(1) }

const delayOf = (header: string | undefined, now: number): Duration.Duration | undefined => {
  if (header === undefined || header.trim() === "") return undefined
  const seconds = Number(header)
  const millis = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000
  return Number.isFinite(millis) ? Duration.clamp(Duration.millis(millis), withinADay) : undefined
}
