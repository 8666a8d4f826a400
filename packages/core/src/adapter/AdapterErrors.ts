/**
 * The errors of an adapter: from a kind, a status or a close code to a `BidiError`, with secrets taken out of every text.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import {
  Auth,
  BidiError,
  ConnectionLost,
  ConsumerTooSlow,
  IdleTimeout,
  InvalidRequest,
  Quota,
  RateLimited,
  type Reason,
  ServerFault,
  SessionExpired,
  Unsupported
} from "../BidiError.ts"

/**
 * The reasons that a provider's own error can have.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | "Auth"
  | "Quota"
  | "RateLimited"
  | "InvalidRequest"
  | "SessionExpired"
  | "IdleTimeout"
  | "ServerFault"
  | "ConnectionLost"

const plain = { Auth, Quota, SessionExpired, IdleTimeout, ServerFault, ConnectionLost }

/**
 * What an error says. `option` counts for `InvalidRequest` only, `retryAfter` for `RateLimited` only.
 *
 * @category models
 * @since 0.1.0
 */
export interface Details {
  readonly message: string
  /** The provider's own code. */
  readonly code?: string | undefined
  /** The option or parameter that is wrong. */
  readonly option?: string | undefined
  /** How long to wait before connecting again. */
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * Makes the errors of one provider. Every text passes `redact` on its way into an error.
 *
 * @category models
 * @since 0.1.0
 */
export interface AdapterErrors {
  readonly ofKind: (kind: Kind, details: Details) => BidiError
  /** An option or a command is wrong; `option` names it. */
  readonly invalid: (option: string, message: string) => BidiError
  /** The provider has no such ability. */
  readonly unsupported: (feature: string, message: string) => BidiError
  /** The credentials are missing or not accepted. */
  readonly auth: (message: string) => BidiError
  /** The connection is gone, or never came up. */
  readonly lost: (message: string, code?: string) => BidiError
  /** The provider did something wrong, and goes on. */
  readonly fault: (message: string, code: string) => BidiError
  /** Nobody reads what the provider sends: more than `capacity` messages wait. */
  readonly tooSlow: (capacity: number) => BidiError
  /** A message of the provider cannot be read. */
  readonly malformed: (message: string) => BidiError
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string
}

/**
 * Returns the errors of a provider. Without `redact` nothing is taken out: for errors made before there are secrets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (provider: string, redact: (text: string) => string = (text) => text): AdapterErrors => {
  const error = (reason: Reason) => new BidiError({ reason, provider })

  const reasonOf = (kind: Kind, { code, message, option, retryAfter }: Details): Reason => {
    const told = { message: redact(message), ...(code === undefined ? {} : { code: redact(code) }) }
    switch (kind) {
      case "RateLimited":
        return new RateLimited(retryAfter === undefined ? told : { ...told, retryAfter })
      case "InvalidRequest":
        return new InvalidRequest(option === undefined ? told : { ...told, option: redact(option) })
      default:
        return new plain[kind](told)
    }
  }

  const ofKind = (kind: Kind, details: Details) => error(reasonOf(kind, details))

  return {
    ofKind,
    invalid: (option, message) => ofKind("InvalidRequest", { message, option }),
    unsupported: (feature, message) => error(new Unsupported({ message: redact(message), feature })),
    auth: (message) => ofKind("Auth", { message }),
    lost: (message, code) => ofKind("ConnectionLost", { message, code }),
    fault: (message, code) => ofKind("ServerFault", { message, code }),
    tooSlow: (capacity) =>
      error(
        new ConsumerTooSlow({
          message: `more than ${capacity} messages of the provider wait to be read`,
          consumer: "the reader of the connection",
          capacity
        })
      ),
    malformed: (message) => ofKind("ServerFault", { message, code: "malformed_message" }),
    redact
  }
}

/**
 * Returns a function that takes secrets out of texts, also where a URL writes them with escapes. It iterates `secrets`
 * for every text: a `Set` may grow meanwhile.
 *
 * @category combinators
 * @since 0.1.0
 */
export const redacting =
  (secrets: Iterable<string>) =>
  (text: string): string => {
    for (const secret of secrets) {
      if (secret === "") continue
      text = text.replaceAll(secret, REDACTED).replaceAll(encodeURIComponent(secret.toWellFormed()), REDACTED)
    }
    return text
  }

const REDACTED = "<redacted>"

/**
 * Returns what an HTTP status other than success means where nothing else is known.
 *
 * @category combinators
 * @since 0.1.0
 */
export const kindOfStatus = (status: number): Kind => {
  if (status === 401 || status === 403) return "Auth"
  if (status === 402) return "Quota"
  if (status === 429) return "RateLimited"
  return status === 408 || status >= 500 ? "ServerFault" : "InvalidRequest"
}

// RFC 6455: internal error, service restart, try again later, bad gateway
const serverCloses = new Set([1011, 1012, 1013, 1014])

/**
 * Returns what the close code of a WebSocket means where nothing else is known.
 *
 * @category combinators
 * @since 0.1.0
 */
export const kindOfClose = (code: number): Kind => (serverCloses.has(code) ? "ServerFault" : "ConnectionLost")

/**
 * Returns a delay of so many milliseconds that a provider asks for: zero to a day.
 *
 * @category combinators
 * @since 0.1.0
 */
export const delay = (millis: number): Duration.Duration =>
  Duration.clamp(Duration.millis(millis), { minimum: Duration.zero, maximum: Duration.days(1) })

/**
 * Returns the delay of a `Retry-After` header (RFC 9110): seconds, or a date relative to `now`, in milliseconds of the
 * epoch. Without `now` a date counts as nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const retryAfter = (header: string | undefined, now = Number.NaN): Duration.Duration | undefined => {
  if (header === undefined || header.trim() === "") return undefined
  const seconds = Number(header)
  const millis = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1000
  return Number.isFinite(millis) ? delay(millis) : undefined
}
