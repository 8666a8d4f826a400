/**
 * The configuration that the model shall have now. Connections catch up with it.
 */
import type { Configuration } from "../BidiModel.ts"

export class Configured {
  /** Counts the changes. */
  version = 0
  current: Configuration

  constructor(current: Configuration) {
    this.current = current
  }

  change(to: Configuration): void {
    this.current = to
    this.version++
  }
}
