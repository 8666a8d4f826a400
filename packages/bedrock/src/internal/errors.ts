/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out.
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
} from "@effect-bidi/core/BidiError"
import { type Failure, shapeOf } from "./failure.ts"

export const PROVIDER = "bedrock"

type Kind =
  | "Auth"
  | "Quota"
  | "RateLimited"
  | "InvalidRequest"
  | "SessionExpired"
  | "IdleTimeout"
  | "ServerFault"
  | "ConnectionLost"

/** The keys are no longer good; newer ones may be. */
const stale = new Set(["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"])

const byName = new Map<string, Kind>([
  ...Array.from(stale, (name) => [name, "Auth"] as const),
  ["AccessDeniedException", "Auth"],
  ["IncompleteSignatureException", "Auth"],
  ["InvalidSignatureException", "Auth"],
  ["MissingAuthenticationTokenException", "Auth"],
  ["NotAuthorizedException", "Auth"],
  ["OptInRequired", "Auth"],
  ["SignatureDoesNotMatch", "Auth"],
  ["CredentialsProviderError", "Auth"],
  ["TokenProviderError", "Auth"],
  ["ServiceQuotaExceededException", "Quota"],
  ["ThrottlingException", "RateLimited"],
  ["TooManyRequestsException", "RateLimited"],
  ["ValidationException", "InvalidRequest"],
  ["ResourceNotFoundException", "InvalidRequest"],
  ["UnknownOperationException", "InvalidRequest"],
  ["ModelTimeoutException", "SessionExpired"],
  ["InternalFailure", "ServerFault"],
  ["InternalServerException", "ServerFault"],
  ["ModelErrorException", "ServerFault"],
  ["ModelNotReadyException", "ServerFault"],
  ["ModelStreamErrorException", "ServerFault"],
  ["ServiceUnavailableException", "ServerFault"]
])

// One exception, `ValidationException`, stands for much that has nothing to do with the request.
const byText: ReadonlyArray<readonly [RegExp, Kind]> = [
  [/Timed out waiting for input events|InternalErrorCode=53[12]\b/, "IdleTimeout"],
  [/Model has timed out in processing the request/, "SessionExpired"],
  [/System instability detected|Chat history should be sent completely before/, "ServerFault"]
]

const byStatus = (status: number): Kind | undefined => {
  if (status === 401 || status === 403) return "Auth"
  if (status === 402) return "Quota"
  if (status === 429) return "RateLimited"
  if (status === 408 || status >= 500) return "ServerFault"
  return status >= 400 ? "InvalidRequest" : undefined
}

const kindOf = ({ isService, message, name, status }: Failure): Kind =>
  byText.find(([text]) => text.test(message))?.[1] ??
  byName.get(name) ??
  (status === undefined ? undefined : byStatus(status)) ??
  (isService ? "ServerFault" : "ConnectionLost")

export interface Errors {
  /** An option or a setting is wrong; `option` names it. */
  readonly invalid: (option: string, message: string) => BidiError
  readonly unsupported: (feature: string, message: string) => BidiError
  readonly lost: (message: string, code?: string) => BidiError
  readonly tooSlow: (capacity: number) => BidiError
  /** An event that does not say what an event of its kind says. */
  readonly malformed: (what: string) => BidiError
  /** There are no keys to sign with. */
  readonly noKeys: (error: unknown) => BidiError
  /**
   * Whatever came instead of a connection: an exception of the provider, or trouble on the way (`trouble`, in words).
   * `hint` tells what may be wrong with the credentials.
   */
  readonly refused: (error: unknown, trouble: string, code?: string, hint?: string) => BidiError
  /** Whatever ended a connection, likewise. */
  readonly ended: (error: unknown, trouble: string, code?: string) => BidiError
  readonly redact: (text: string) => string
}

/** The provider does not take these keys; newer ones may do. */
export const isStale = ({ reason }: BidiError): boolean => reason._tag === "Auth" && stale.has(reason.code ?? "")

/** Keys that ran out while they were used: the next connection gets newer ones. */
export const isExpiry = ({ reason }: BidiError): boolean =>
  reason._tag === "SessionExpired" && stale.has(reason.code ?? "")

/** Takes secrets out of texts. The set may grow. */
export const redacting =
  (secrets: ReadonlySet<string>) =>
  (text: string): string => {
    for (const secret of secrets) if (secret !== "") text = text.replaceAll(secret, "<redacted>")
    return text
  }

export const make = (redact: (text: string) => string): Errors => {
  const error = (reason: Reason) => new BidiError({ reason, provider: PROVIDER })

  const fields = (message: string, code: string | undefined) => ({
    message: redact(message),
    ...(code === undefined ? {} : { code: redact(code) })
  })

  const lost = (message: string, code?: string) => error(new ConnectionLost(fields(message, code)))

  const ofKind = (kind: Kind, failure: Failure, message: string): BidiError => {
    const told = fields(message, failure.code)
    switch (kind) {
      case "Auth":
        return error(new Auth(told))
      case "Quota":
        return error(new Quota(told))
      case "RateLimited": {
        const retryAfter = delayOf(failure.retryAfter)
        return error(new RateLimited(retryAfter === undefined ? told : { ...told, retryAfter }))
      }
      case "InvalidRequest": {
        const isModel = failure.name === "ResourceNotFoundException" || /\bmodel identifier\b/.test(message)
        return error(new InvalidRequest(isModel ? { ...told, option: "model" } : told))
      }
      case "SessionExpired":
        return error(new SessionExpired(told))
      case "IdleTimeout":
        return error(new IdleTimeout(told))
      case "ServerFault":
        return error(new ServerFault(told))
      case "ConnectionLost":
        return error(new ConnectionLost(told))
    }
  }

  return {
    invalid: (option, message) => error(new InvalidRequest({ ...fields(message, undefined), option: redact(option) })),
    unsupported: (feature, message) => error(new Unsupported({ ...fields(message, undefined), feature })),
    lost,
    tooSlow: (capacity) =>
      error(
        new ConsumerTooSlow({
          message: `more than ${capacity} events wait to be read`,
          consumer: "the reader of the connection",
          capacity
        })
      ),
    malformed: (what) => error(new ServerFault(fields(what, "malformed_event"))),
    noKeys: (raw) => {
      if (raw instanceof BidiError) return raw
      const failure = shapeOf(raw)
      // what a provider of somebody else's says may quote what it knows
      if (!failure.isService) return lost("the credential provider failed", failure.code)
      return ofKind("Auth", failure, `there are no credentials: ${failure.message}`)
    },
    refused: (raw, trouble, code, hint) => {
      const failure = shapeOf(raw)
      const kind = kindOf(failure)
      if (kind === "ConnectionLost") return lost(trouble, code ?? failure.code)
      const status = failure.status === undefined ? "" : ` with HTTP ${failure.status}`
      const said = failure.message === "" ? "" : `: ${failure.message}`
      const advice = kind === "Auth" && hint !== undefined ? ` (${hint})` : ""
      return ofKind(kind, failure, `the connection was refused${status}${said}${advice}`)
    },
    ended: (raw, trouble, code) => {
      const failure = shapeOf(raw)
      // the connection was good until now
      const kind = stale.has(failure.name) ? "SessionExpired" : kindOf(failure)
      if (kind === "ConnectionLost") return lost(trouble, code ?? failure.code)
      return ofKind(kind, failure, failure.message === "" ? "the provider gave no reason" : failure.message)
    },
    redact
  }
}

const withinADay = { minimum: Duration.zero, maximum: Duration.days(1) }

const delayOf = (seconds: string | undefined): Duration.Duration | undefined => {
  const millis = seconds === undefined || seconds.trim() === "" ? Number.NaN : Number(seconds) * 1000
  return Number.isFinite(millis) ? Duration.clamp(Duration.millis(millis), withinADay) : undefined
}
