/**
 * The error of a backend that failed.
 */
import { BidiError, StoreFailed } from "@effect-bidi/core/BidiError"

export const storeFailed = (what: string, cause: unknown): BidiError => {
  const detail = cause instanceof Error && cause.message !== "" ? cause.message : String(cause)
  return new BidiError({ reason: new StoreFailed({ message: `${what}: ${detail}` }) })
}
