/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out, because the key is part of the URL.
 *
 * A close code of this provider means little; what it says beside it decides (`byWords`).
 */
import type * as Duration from "effect/Duration"
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
  SessionExpired,
  Unsupported
} from "@effect-bidi/core/BidiError"
import { delayOf, type Refusal, type Told, toldBy } from "./refusal.ts"

export const PROVIDER = "google"

type Kind = "Auth" | "Quota" | "RateLimited" | "InvalidRequest" | "SessionExpired" | "ServerFault" | "ConnectionLost"

// The first that fits: a rate limit may speak of quotas too, and a quota of exhausted resources.
const byWords: ReadonlyArray<readonly [RegExp, Kind]> = [
  [/\bapi[ _-]?key\b|\b(access|auth|ephemeral|oauth)[ _-]?tokens?\b|\bcredentials?\b|unauthenticated/i, "Auth"],
  [/permission|\bdenied\b|forbidden|not authorized|unauthorized/i, "Auth"],
  [/exceeded your (current )?quota|\bbilling\b|insufficient funds|\bcredits?\b/i, "Quota"],
  [/resource[ _](has been )?exhausted|rate[ _-]?limit|too many requests/i, "RateLimited"],
  [/\bquota\b/i, "Quota"],
  [/deadline expired|session duration|\bgo ?away\b/i, "SessionExpired"],
  [/\bmodels?\b.*\bnot (found|supported)\b|\bnot supported for bidi/i, "InvalidRequest"]
]

// google.rpc.Code, where it says more than the HTTP status
const byStatusName = new Map<string, Kind>([
  ["UNAUTHENTICATED", "Auth"],
  ["PERMISSION_DENIED", "Auth"],
  ["RESOURCE_EXHAUSTED", "RateLimited"],
  ["INVALID_ARGUMENT", "InvalidRequest"],
  ["FAILED_PRECONDITION", "InvalidRequest"],
  ["NOT_FOUND", "InvalidRequest"],
  ["UNAVAILABLE", "ServerFault"],
  ["INTERNAL", "ServerFault"]
])

const byStatus = (status: number): Kind => {
  if (status === 401 || status === 403) return "Auth"
  if (status === 402) return "Quota"
  if (status === 429) return "RateLimited"
  return status === 408 || status >= 500 ? "ServerFault" : "InvalidRequest"
}

/** How far a connection had come when it was closed: not ready, about to resume a session, or in use. */
export type Stage = "setup" | "resume" | "live"

const byClose = (code: number, stage: Stage): Kind => {
  switch (code) {
    // what we sent cannot be understood; at a resumption that is the handle
    case 1007:
      return stage === "resume" ? "SessionExpired" : "InvalidRequest"
    // a model or an option that there is not; in a session that has worked, trouble on the other side
    case 1008:
      return stage === "resume" ? "SessionExpired" : stage === "setup" ? "InvalidRequest" : "ServerFault"
    // RFC 6455: internal error, service restart, try again later, bad gateway
    case 1011:
    case 1012:
    case 1013:
    case 1014:
      return "ServerFault"
    default:
      return "ConnectionLost"
  }
}

export interface Errors {
  /** An option or a setting is wrong; `option` names it. */
  readonly invalid: (option: string, message: string) => BidiError
  readonly unsupported: (feature: string, message: string) => BidiError
  readonly auth: (message: string) => BidiError
  readonly lost: (message: string, code?: string) => BidiError
  readonly expired: (error: BidiError) => BidiError
  /** What reads like our fault and is none. */
  readonly unexpected: (error: BidiError) => BidiError
  /** The model ended its turn, and there is nothing to be heard of it. `wrote`: there was text instead. */
  readonly unspoken: (wrote: boolean) => BidiError
  /** More than so many seconds of the user's sound had to wait for the answer to a call. */
  readonly unheard: (seconds: number) => BidiError
  /** The words of a turn of the user never came. */
  readonly wordless: () => BidiError
  /** The user's words came, and no reply for so long, in milliseconds. */
  readonly unanswered: (millis: number) => BidiError
  readonly tooSlow: (capacity: number) => BidiError
  /** A message that does not say what a message of its kind says. */
  readonly malformed: (what: string) => BidiError
  /** The model refused to answer, for a reason with a name. */
  readonly refusedToAnswer: (reason: string) => BidiError
  readonly refused: (refusal: Refusal) => BidiError
  readonly closed: (code: number, reason: string, stage: Stage) => BidiError
  readonly redact: (text: string) => string
}

/** Takes `secret` out of texts, also as it is written in a URL. */
export const redacting = (secret: string) => {
  const forms = [...new Set([secret, encodeURIComponent(secret)])].filter((form) => form !== "")
  return (text: string): string => forms.reduce((out, form) => out.replaceAll(form, "<redacted>"), text)
}

export const make = (redact: (text: string) => string): Errors => {
  const error = (reason: Reason) => new BidiError({ reason, provider: PROVIDER })

  const fields = (message: string, code: string | undefined) => ({
    message: redact(message),
    ...(code === undefined ? {} : { code: redact(code) })
  })

  const ofKind = (
    kind: Kind,
    message: string,
    code: string,
    more: { readonly option?: string; readonly retryAfter?: Duration.Duration | undefined } = {}
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
        return error(new InvalidRequest(option === undefined ? told : { ...told, option }))
      case "SessionExpired":
        return error(new SessionExpired(told))
      case "ServerFault":
        return error(new ServerFault(told))
      case "ConnectionLost":
        return error(new ConnectionLost(told))
    }
  }

  const worded = (words: string): Kind | undefined => byWords.find(([pattern]) => pattern.test(words))?.[1]
  const optionIn = (kind: Kind, words: string) =>
    kind === "InvalidRequest" && worded(words) === "InvalidRequest" ? { option: "model" } : {}

  const refused = (refusal: Refusal): BidiError => {
    const { status } = refusal
    const { message, name }: Told = toldBy(refusal.body)
    const words = message ?? ""
    const named = name === undefined ? undefined : byStatusName.get(name)
    const kind = worded(words) ?? named ?? byStatus(status)
    const told = `the connection was refused with HTTP ${status}${words === "" ? "" : `: ${words}`}`
    return ofKind(kind, told, name ?? String(status), { ...optionIn(kind, words), retryAfter: delayOf(refusal) })
  }

  const closed = (code: number, reason: string, stage: Stage): BidiError => {
    const kind = worded(reason) ?? byClose(code, stage)
    const told = `the connection was closed (${code}${reason === "" ? "" : `: ${reason}`})`
    return ofKind(kind, told, String(code), optionIn(kind, reason))
  }

  return {
    invalid: (option, message) => error(new InvalidRequest({ ...fields(message, undefined), option: redact(option) })),
    unsupported: (feature, message) => error(new Unsupported({ ...fields(message, undefined), feature })),
    auth: (message) => error(new Auth(fields(message, undefined))),
    lost: (message, code) => error(new ConnectionLost(fields(message, code))),
    expired: ({ reason }) => error(new SessionExpired(fields(reason.message, reason.code))),
    unexpected: ({ reason }) => error(new ServerFault(fields(reason.message, reason.code))),
    unspoken: (wrote) =>
      error(
        new ServerFault(
          wrote
            ? fields("the model ended its turn with text alone, of which nothing is to be heard", "text_only_turn")
            : fields("the model ended its turn without saying anything, and gave no reason", "empty_turn")
        )
      ),
    unheard: (seconds) =>
      error(
        new ServerFault(
          fields(
            `what the user said more than ${seconds} s before a tool answered is lost: this model hears nothing meanwhile`,
            "unheard_speech"
          )
        )
      ),
    wordless: () =>
      error(
        new InvalidRequest(fields("what the user said was answered and never transcribed", "transcription_failed"))
      ),
    unanswered: (millis) =>
      error(
        new ServerFault(fields(`the model heard the user and said nothing for ${millis / 1000} s`, "unanswered_speech"))
      ),
    tooSlow: (capacity) =>
      error(
        new ConsumerTooSlow({
          message: `more than ${capacity} messages wait to be read`,
          consumer: "the reader of the connection",
          capacity
        })
      ),
    malformed: (what) => error(new ServerFault(fields(what, "malformed_message"))),
    refusedToAnswer: (reason) =>
      error(
        reason === "MALFORMED_FUNCTION_CALL"
          ? new ServerFault(fields("the model made a call that cannot be read", reason))
          : new InvalidRequest(fields(`the model did not answer: ${reason}`, reason))
      ),
    refused,
    closed,
    redact
  }
}
