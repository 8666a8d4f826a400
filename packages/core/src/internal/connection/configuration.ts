/**
 * The profile that the model has, and a pending change that the next connection brings. A change takes effect when the
 * provider has confirmed it; until then, and if it is refused or withdrawn, the old profile stays.
 */
import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type { BidiError } from "../../BidiError.ts"
import type { Profile } from "../../BidiModel.ts"

// A change with which this many attempts to connect fail is refused.
const MAX_ATTEMPTS = 3

export class Change {
  readonly to: Profile
  readonly done = Deferred.makeUnsafe<void, BidiError>()
  /** Called at the moment at which the change takes effect. */
  readonly onConfirmed: () => void
  tries = 0
  /** A connection with the change is taking over: too late to withdraw it, unless that fails. */
  adopting = false
  givenUp = false

  constructor(to: Profile, onConfirmed: () => void) {
    this.to = to
    this.onConfirmed = onConfirmed
  }
}

export class ConfigurationState {
  current: Profile
  private change: Change | undefined
  private readonly changed: () => void

  constructor(current: Profile, changed: () => void) {
    this.current = current
    this.changed = changed
  }

  /** The profile that a new connection is opened with. */
  get wanted(): Profile {
    return this.change?.to ?? this.current
  }

  /** The change that the next connection brings. */
  get pending(): Change | undefined {
    return this.change
  }

  begin(change: Change): void {
    this.change = change
    this.changed()
  }

  /** The provider has confirmed the change. */
  confirm(to: Profile, onConfirmed: () => void): void {
    this.current = to
    onConfirmed()
    this.changed()
  }

  /** A connection with this profile is taking over. */
  adopting(configuration: Profile): void {
    if (this.change?.to === configuration) this.change.adopting = true
  }

  /** It has taken over. */
  adopted(configuration: Profile): void {
    const { change } = this
    if (change?.to !== configuration) return
    this.change = undefined
    this.confirm(change.to, change.onConfirmed)
    Deferred.doneUnsafe(change.done, Exit.void)
  }

  /** It failed to take over. */
  notAdopted(configuration: Profile): void {
    const { change } = this
    if (change?.to !== configuration) return
    change.adopting = false
    if (change.givenUp) this.giveUp(change)
  }

  giveUp(change: Change): void {
    change.givenUp = true
    if (this.change !== change || change.adopting) return
    this.change = undefined
    this.changed()
  }

  /**
   * An attempt to connect with this change failed. Returns whether there is another profile to try, because the change is
   * refused now or was withdrawn.
   */
  failed(change: Change, error: BidiError): boolean {
    if (this.change !== change) return true
    if (error.isRetryable && ++change.tries < MAX_ATTEMPTS) return false
    this.change = undefined
    Deferred.doneUnsafe(change.done, Exit.fail(error))
    this.changed()
    return true
  }
}
