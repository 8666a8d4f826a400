/**
 * Ids that the provider takes: up to 32 letters, digits, `_` and `-`.
 */
import { createHash } from "node:crypto"

const fits = /^[\w-]{1,32}$/

/** The id itself where it fits, else one that is always made of it: the same id gives the same, two never do. */
export const fit = (id: string): string =>
  fits.test(id) ? id : `bidi_${createHash("sha256").update(id).digest("hex").slice(0, 27)}`
