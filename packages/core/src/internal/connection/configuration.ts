/**
 * The configuration that the model has, and a change of it that is on its way to the next connection. A change holds once
 * the provider has confirmed it; until then, and when it is refused or given up, everything is as before.
 */
import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type { BidiError } from "../../BidiError.ts"
import type { Profile } from "../../BidiModel.ts"

// A connection that cannot be had three times in a row is refused.
const MAX_ATTEMPTS = 3

export class Change {
  readonly to: Profile
  readonly done = Deferred.makeUnsafe<void, BidiError>()
  /** Runs in the moment in which the change holds. */
  readonly onConfirmed: () => void
  tries = 0
  /** A connection that has it is taking over: it is too late to give it up, unless that fails. */
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

  /** What a new connection is opened with. */
  get wanted(): Profile {
    return this.change?.to ?? this.current
  }

  /** The change that is on its way. */
  get pending(): Change | undefined {
    return this.change
  }

  begin(change: Change): void {
    this.change = change
    this.changed()
  }

  /** The provider has it. */
  confirm(to: Profile, onConfirmed: () => void): void {
    this.current = to
    onConfirmed()
    this.changed()
  }

  /** A connection with this configuration takes over. */
  adopting(configuration: Profile): void {
    if (this.change?.to === configuration) this.change.adopting = true
  }

  /** It did. */
  adopted(configuration: Profile): void {
    const { change } = this
    if (change?.to !== configuration) return
    this.change = undefined
    this.confirm(change.to, change.onConfirmed)
    Deferred.doneUnsafe(change.done, Exit.void)
  }

  /** It did not. */
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
   * A connection with this change could not be had. Answers whether there is another configuration to try: the change is
   * refused now, or was given up.
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
