/**
 * Whose turn it is: the replies of the current connection, the user's speech, the tools that run.
 */
import * as Effect from "effect/Effect"
import type { Command } from "../BidiModel.ts"
import type { Ledger } from "./playback.ts"

/** What a connection owes: a reply that was asked for, or the rest of one that had begun; and by which instructions. */
export type Owed = { readonly instructions: string | undefined } & (
  | { readonly what: "reply" }
  | { readonly what: "rest"; readonly responseId: string }
)

type Stage = "active" | "done" | "cancelled"

// A reply that has not begun by then is not waited for any more: some requests are not answered.
export const PATIENCE = 30_000

// Between two words, or until the provider takes what was said as a turn.
const PAUSE = 1000

// How soon a device is asked again that should have finished; one that does not get on, less and less often.
const SOONEST = 5
const LATEST = 1000

// Ids of a connection's replies are kept to recognise what comes late; more than this many back, nothing does.
const REMEMBERED = 64

export class Turn {
  private readonly replies = new Map<string, Stage>()
  private readonly waiting = new Set<() => void>()
  private changes = 0
  private asked: number | undefined // when a reply was asked for that has not begun
  private wanted: string | undefined // the instructions for it
  private following: string | undefined // the instructions of the reply that is being generated
  private cut: string | undefined // the reply that ended with its connection
  private speaking = false
  private stopped: number | undefined // when the user stopped speaking, and it is not known yet what came of it
  private tools = 0
  private readonly ledger: Ledger
  private readonly pending: () => boolean
  private readonly now: () => number

  /** `pending` answers whether commands still wait to be sent; `now` is in milliseconds. */
  constructor(ledger: Ledger, pending: () => boolean, now: () => number) {
    this.ledger = ledger
    this.pending = pending
    this.now = now
  }

  /** The reply that is being generated. */
  active: string | undefined

  stage(responseId: string): Stage | undefined {
    return this.replies.get(responseId)
  }

  started(responseId: string, more: boolean): void {
    this.active = responseId
    this.asked = more ? this.now() : undefined
    this.following = more ? undefined : this.wanted
    if (!more) this.wanted = undefined
    this.replies.set(responseId, "active")
    if (this.replies.size > REMEMBERED) this.replies.delete(this.replies.keys().next().value!)
    this.changed()
  }

  done(responseId: string): void {
    this.replies.set(responseId, "done")
    if (this.active === responseId) this.active = undefined
    this.changed()
  }

  /** Closes the door: nothing of this reply passes any more. */
  cancelled(responseId: string): void {
    this.replies.set(responseId, "cancelled")
    if (this.active === responseId) this.active = undefined
    this.changed()
  }

  /** A reply was asked for, by a command or by the user's speech; it has not started yet. */
  readonly awaitReply = (command?: Command): void => {
    this.asked = this.now()
    this.wanted = command?._tag === "Respond" ? command.instructions : undefined
    this.changed()
  }

  /** No reply will come, or it will be asked for again. */
  noReply(): void {
    this.asked = undefined
    this.wanted = undefined
    this.cut = undefined
    this.changed()
  }

  get awaitingReply(): boolean {
    return this.asked !== undefined && this.now() - this.asked < PATIENCE
  }

  /** Whether the user speaks, or has just stopped: it takes the provider a moment to make a turn of it. */
  get userSpeaking(): boolean {
    return this.speaking || (this.stopped !== undefined && this.now() - this.stopped < PAUSE)
  }

  userSpeaks(speaking: boolean): void {
    this.stopped = speaking || !this.speaking ? undefined : this.now()
    this.speaking = speaking
    this.changed()
  }

  /** What the user said was taken as a turn. */
  userTurn(respond: boolean): void {
    this.stopped = undefined
    if (respond) this.awaitReply()
    else this.changed()
  }

  toolStarted(): void {
    this.tools++
    this.changed()
  }

  toolEnded(): void {
    this.tools--
    this.changed()
  }

  /** What the connection that is gone had not finished. */
  get owed(): Owed | undefined {
    if (this.cut !== undefined) return { what: "rest", responseId: this.cut, instructions: this.following }
    return this.awaitingReply ? { what: "reply", instructions: this.wanted } : undefined
  }

  /** The connection is gone, and with it whatever it was doing. A reply that was on its way is still awaited. */
  abandoned(inReply: string | undefined): void {
    if (inReply !== undefined) {
      this.cut = inReply
      this.asked = this.now()
    }
    this.active = undefined
    this.speaking = false
    this.stopped = undefined
    this.replies.clear()
    this.changed()
  }

  /** Whether this is the middle of a turn: somebody speaks or is still audible, a reply is on its way, a tool runs. */
  get inTurn(): boolean {
    return this.working || this.ledger.remaining() > 0
  }

  /** Whether nothing is going on, nothing is left to play, and nothing waits to be sent. */
  get atRest(): boolean {
    return !this.inTurn && !this.pending()
  }

  private get working(): boolean {
    return this.active !== undefined || this.awaitingReply || this.userSpeaking || this.tools > 0
  }

  /** Tells those who wait that something may have changed. */
  readonly changed = (): void => {
    this.changes++
    // who is resumed may wait again at once, for the next change
    const waiting = Array.from(this.waiting)
    for (const resume of waiting) resume()
  }

  // Waits until something may have changed: somebody said so, the sound is over, or a reply that does not come is given up.
  private readonly change = (soonest: number): Effect.Effect<void> => {
    const rest = this.ledger.remaining()
    const sound = rest > 0 ? rest : Infinity
    const patience = this.awaitingReply ? this.asked! + PATIENCE - this.now() : Infinity
    const pause = !this.speaking && this.userSpeaking ? this.stopped! + PAUSE - this.now() : Infinity
    const wait = Math.max(soonest, Math.min(sound, patience, pause))
    const told = this.told(this.changes)
    return wait === Infinity ? told : Effect.raceFirst(Effect.sleep(wait), told)
  }

  private readonly told = (seen: number) =>
    Effect.callback<void>((resume) => {
      // a fiber may make room for others at any step: what has changed since it looked is not told again
      if (this.changes !== seen) return resume(Effect.void)
      const done = () => {
        this.waiting.delete(done)
        resume(Effect.void)
      }
      this.waiting.add(done)
      return Effect.sync(() => this.waiting.delete(done))
    })

  /** Waits for a state of affairs. */
  until(holds: () => boolean): Effect.Effect<void> {
    return this.watch(holds, SOONEST)
  }

  private watch(holds: () => boolean, soonest: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const rest = this.ledger.remaining()
      // looked at first: what is over by itself between two looks would tell nobody afterwards
      const change = this.change(soonest)
      if (holds()) return Effect.void
      const again = Effect.suspend(() => {
        const stuck = rest > 0 && this.ledger.remaining() >= rest
        return this.watch(holds, stuck ? Math.min(2 * soonest, LATEST) : SOONEST)
      })
      return Effect.andThen(change, again)
    })
  }

  /** Waits until no sound is left to play. */
  readonly quiet: Effect.Effect<void> = this.until(() => this.ledger.remaining() === 0)

  /** Waits until something happens. */
  readonly happens: Effect.Effect<void> = this.until(() => !this.atRest)

  /** Waits until nobody speaks and no reply is on its way. */
  readonly free: Effect.Effect<void> = this.until(
    () => this.active === undefined && !this.awaitingReply && !this.userSpeaking
  )

  /** Waits until nothing is going on and no sound is left to play. */
  readonly idle: Effect.Effect<void> = this.until(() => this.atRest)
}
