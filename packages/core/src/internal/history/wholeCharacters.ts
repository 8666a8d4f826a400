/**
 * Text that arrives in pieces. Providers cut it wherever they like, also within a character: half of one waits for the rest.
 */
import { text as wellFormed } from "../conversation/wellFormed.ts"

export class WholeCharacters {
  private half = ""

  /** What there is by now, in whole characters. */
  take(piece: string): string {
    const all = this.half + piece
    const last = all.charCodeAt(all.length - 1)
    const end = last >= 0xd800 && last < 0xdc00 ? all.length - 1 : all.length
    this.half = all.slice(end)
    return wellFormed(all.slice(0, end))
  }
}
