/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out.
 */
import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import { BidiError } from "@effect-bidi/core/BidiError"
import { type SdkError, shapeOf } from "./sdkError.ts"

export const PROVIDER = "bedrock"

type Kind = AdapterErrors.Kind

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

const kindOf = ({ isService, message, name, status }: SdkError): Kind =>
  byText.find(([text]) => text.test(message))?.[1] ??
  byName.get(name) ??
  (status === undefined ? undefined : AdapterErrors.kindOfStatus(status)) ??
  (isService ? "ServerFault" : "ConnectionLost")

export interface Errors extends AdapterErrors.AdapterErrors {
  /** There are no keys to sign with. */
  readonly noKeys: (error: unknown) => BidiError
  /**
   * Whatever came instead of a connection: an exception of the provider, or trouble on the way (`trouble`, in words).
   * `hint` tells what may be wrong with the credentials.
   */
  readonly refused: (error: unknown, trouble: string, code?: string, hint?: string) => BidiError
  /** Whatever ended a connection, likewise. */
  readonly ended: (error: unknown, trouble: string, code?: string) => BidiError
}

/** The provider does not take these keys; newer ones may do. */
export const isStale = ({ reason }: BidiError): boolean => reason._tag === "Auth" && stale.has(reason.code ?? "")

/** Keys that ran out while they were used: the next connection gets newer ones. */
export const isExpiry = ({ reason }: BidiError): boolean =>
  reason._tag === "SessionExpired" && stale.has(reason.code ?? "")

/** Errors from before there are credentials: they quote no value. */
export const keyless = AdapterErrors.make(PROVIDER)

/** Errors without these secrets in any text. The set may grow. */
export const make = (secrets: ReadonlySet<string>): Errors => {
  const errors = AdapterErrors.make(PROVIDER, AdapterErrors.redacting(secrets))
  const { lost, ofKind } = errors

  const told = (kind: Kind, failure: SdkError, message: string): BidiError => {
    const isModel = failure.name === "ResourceNotFoundException" || /\bmodel identifier\b/.test(message)
    return ofKind(kind, {
      message,
      code: failure.code,
      option: isModel ? "model" : undefined,
      retryAfter: AdapterErrors.retryAfter(failure.retryAfter)
    })
  }

  return {
    ...errors,
    noKeys: (raw) => {
      if (raw instanceof BidiError) return raw
      const failure = shapeOf(raw)
      // what a provider of somebody else's says may quote what it knows
      if (!failure.isService) return lost("the credential provider failed", failure.code)
      return told("Auth", failure, `there are no credentials: ${failure.message}`)
    },
    refused: (raw, trouble, code, hint) => {
      const failure = shapeOf(raw)
      const kind = kindOf(failure)
      if (kind === "ConnectionLost") return lost(trouble, code ?? failure.code)
      const status = failure.status === undefined ? "" : ` with HTTP ${failure.status}`
      const said = failure.message === "" ? "" : `: ${failure.message}`
      const advice = kind === "Auth" && hint !== undefined ? ` (${hint})` : ""
      return told(kind, failure, `the connection was refused${status}${said}${advice}`)
    },
    ended: (raw, trouble, code) => {
      const failure = shapeOf(raw)
      // the connection was good until now
      const kind = stale.has(failure.name) ? "SessionExpired" : kindOf(failure)
      if (kind === "ConnectionLost") return lost(trouble, code ?? failure.code)
      return told(kind, failure, failure.message === "" ? "the provider gave no reason" : failure.message)
    }
  }
}
