/**
 * What went wrong, from the provider's words to a reason. The only place where errors of this package are made: no
 * object of the SDK gets in, and every text passes `redact` on its way out, because the key is part of the URL.
 *
 * A close code of this provider means little; what it says beside it decides (`byWords`).
 */
import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import type { Refusal } from "@effect-bidi/core/adapter/WebSocketLine"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { errorIn } from "./errorBody.ts"

export const PROVIDER = "google"

type Kind = AdapterErrors.Kind

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
    default:
      return AdapterErrors.kindOfClose(code)
  }
}

export interface Errors extends AdapterErrors.AdapterErrors {
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
  /** The model refused to answer, for a reason with a name. */
  readonly refusedToAnswer: (reason: string) => BidiError
  readonly refused: (refusal: Refusal) => BidiError
  readonly closed: (code: number, reason: string, stage: Stage) => BidiError
}

/** Errors from before there is a key: they quote no value. */
export const keyless = AdapterErrors.make(PROVIDER)

/** Errors without this key in any text. */
export const make = (secret: string): Errors => {
  const errors = AdapterErrors.make(PROVIDER, AdapterErrors.redacting([secret]))
  const { fault, ofKind } = errors

  return {
    ...errors,
    expired: ({ reason }) => ofKind("SessionExpired", reason),
    unexpected: ({ reason }) => ofKind("ServerFault", reason),
    unspoken: (wrote) =>
      wrote
        ? fault("the model ended its turn with text alone, of which nothing is to be heard", "text_only_turn")
        : fault("the model ended its turn without saying anything, and gave no reason", "empty_turn"),
    unheard: (seconds) =>
      fault(
        `what the user said more than ${seconds} s before a tool answered is lost: this model hears nothing meanwhile`,
        "unheard_speech"
      ),
    wordless: () =>
      ofKind("InvalidRequest", {
        message: "what the user said was answered and never transcribed",
        code: "transcription_failed"
      }),
    unanswered: (millis) =>
      fault(`the model heard the user and said nothing for ${millis / 1000} s`, "unanswered_speech"),
    refusedToAnswer: (reason) =>
      reason === "MALFORMED_FUNCTION_CALL"
        ? fault("the model made a call that cannot be read", reason)
        : ofKind("InvalidRequest", { message: `the model did not answer: ${reason}`, code: reason }),
    refused: ({ body, now, retryAfter, status }) => {
      const { message = "", retryDelay, status: name } = errorIn(body)
      const kind = worded(message) ?? byStatusName.get(name ?? "") ?? AdapterErrors.kindOfStatus(status)
      return ofKind(kind, {
        message: `the connection was refused with HTTP ${status}${message === "" ? "" : `: ${message}`}`,
        code: name ?? String(status),
        option: optionIn(message),
        retryAfter: AdapterErrors.retryAfter(retryAfter, now) ?? retryDelay
      })
    },
    closed: (code, reason, stage) =>
      ofKind(worded(reason) ?? byClose(code, stage), {
        message: `the connection was closed (${code}${reason === "" ? "" : `: ${reason}`})`,
        code: String(code),
        option: optionIn(reason)
      })
  }
}

const worded = (words: string): Kind | undefined => byWords.find(([pattern]) => pattern.test(words))?.[1]

// the only words that mean a wrong request are about the model
const optionIn = (words: string): string | undefined => (worded(words) === "InvalidRequest" ? "model" : undefined)
