/**
 * Whose turn it is: the replies of the current connection, the user's speech, the tools that run; and what the model still
 * owes.
 */
import * as Effect from "effect/Effect"
import type { Command } from "../../BidiModel.ts"
import * as Condition from "../condition.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { LeftBehind } from "../session/settling.ts"
import { UnansweredTurns } from "./unansweredTurns.ts"

/** What a connection owes: a requested reply, or the rest of one that had begun; and with which instructions. */
export type Owed = { readonly instructions: string | undefined } & (
  | { readonly what: "reply" }
  | { readonly what: "rest"; readonly responseId: string }
)

type Stage = "active" | "done" | "cancelled"

/** A request for a reply: the message of the user that caused it, or the instructions it came with. */
interface Request {
  readonly message: string | undefined
  readonly instructions: string | undefined
}

// Providers leave some requests unanswered: after this much connected time a reply is not expected any more.
export const REPLY_TIMEOUT_MILLIS = 30_000

// The pause between two words, or until the provider takes what was said as a turn.
const SPEECH_PAUSE_MILLIS = 1000

// How long a provider that was sent speech again may take to detect it.
const REHEARD_MILLIS = 3000

// How soon to ask a device again that should have finished; less and less often if it makes no progress.
const MIN_POLL_MILLIS = 5
const MAX_POLL_MILLIS = 1000

// Ids of a connection's latest replies are kept, to recognise what arrives late.
const REPLY_IDS_KEPT = 64

export class TurnState {
  /** The turns of the user that await a reply. */
  readonly unanswered = new UnansweredTurns()
  private readonly replies = new Map<string, Stage>()
  private readonly condition = Condition.make()
  private offline = false // between a lost connection and the next one
  private waitingSince: number | undefined // for a reply that has not begun
  private requests: ReadonlyArray<Request> = [] // for that reply
  private merged: ReadonlyArray<Request> = [] // further requests that the active reply answers
  private activeInstructions: string | undefined
  private unfinished: string | undefined // a reply that ended with its connection, until the rest of it is requested
  private superseded: string | undefined // such a reply, while a later request is pending that may make it obsolete
  private speaking = false
  private speechUntil: number | undefined // until when a turn may come of what the user said
  private readonly tools = new Set<object>() // running calls
  private readonly idleWaiters = new Map<object, number>() // running calls that wait for idleness, and how often
  private pendingSends = 0 // about to be sent
  private holds = 0 // while an event is being handled
  private changedWhileHeld = false
  private readonly ledger: Ledger
  private readonly pending: () => boolean
  private readonly now: () => number
  private readonly onReplyOverdue: () => void

  /**
   * `pending` returns whether commands wait to be sent, `now` the time in milliseconds. `onReplyOverdue` is called when a
   * reply is not expected any more.
   */
  constructor(ledger: Ledger, pending: () => boolean, now: () => number, onGivenUp: () => void = () => {}) {
    this.ledger = ledger
    this.pending = pending
    this.now = now
    this.onReplyOverdue = onGivenUp
  }

  /** Whether there is a connection. */
  get online(): boolean {
    return !this.offline
  }

  /** How often an interruption has discarded what was owed. */
  discards = 0

  /** The reply that is being generated. */
  active: string | undefined

  stage(responseId: string): Stage | undefined {
    return this.replies.get(responseId)
  }

  started(responseId: string, more: boolean): void {
    const { requests } = this
    this.active = responseId
    this.waitingSince = more ? this.now() : undefined
    this.requests = more ? requests.slice(-1) : []
    this.merged = more ? [] : requests.slice(1)
    this.activeInstructions = instructionsOf(more ? requests.slice(0, -1) : requests)
    this.unfinished = undefined
    this.superseded = undefined
    if (!more) this.unanswered.replyBegins()
    this.replies.set(responseId, "active")
    if (this.replies.size > REPLY_IDS_KEPT) this.replies.delete(this.replies.keys().next().value!)
    this.changed()
  }

  /**
   * The provider cut this reply off although nobody speaks: a message did that, which was sent before the reply began and
   * gets a reply of its own.
   */
  interruptedByMessage(responseId: string): void {
    const { merged: behind } = this
    if (responseId !== this.active || this.userSpeaking || behind.length === 0) return
    this.merged = []
    for (const { message } of behind) if (message !== undefined) this.unanswered.asked(message)
    this.requests = [...behind, ...this.requests]
    this.waitingSince = this.now()
  }

  done(responseId: string): void {
    this.ended(responseId, "done")
  }

  /** Nothing of this reply is passed on any more. */
  cancelled(responseId: string): void {
    this.ended(responseId, "cancelled")
  }

  private ended(responseId: string, stage: Stage): void {
    this.replies.set(responseId, stage)
    if (this.active === responseId) {
      this.active = undefined
      this.unanswered.replyEnds()
    }
    this.changed()
  }

  /** A reply was requested, by a command or by the user's speech; it has not begun. */
  readonly awaitReply = (command?: Command): void => {
    const message = command?._tag === "UserMessage" ? command.id : undefined
    const instructions = command?._tag === "Respond" ? command.instructions : undefined
    if (message !== undefined) this.unanswered.asked(message)
    this.waitingSince = this.now()
    this.requests = [...this.requests, { message, instructions }]
    this.changed()
  }

  /** What an earlier process left unanswered is owed by the first connection. */
  leftBehind({ asked, cut, results }: LeftBehind): void {
    for (const id of asked) this.unanswered.asked(id)
    this.requests = asked.map((message) => ({ message, instructions: undefined }))
    if (results) this.requests = [{ message: undefined, instructions: undefined }]
    this.unfinished = cut
    if (this.owed === undefined) return
    this.waitingSince = this.now()
    this.offline = true
  }

  /** What a lost connection owed was requested again. */
  readonly askedAgain = (command: Command): void => {
    if (command._tag === "UserMessage") {
      this.requests = this.requests.filter(({ message }) => message !== command.id)
    } else {
      this.unfinished = undefined
      this.requests = this.requests.filter(({ message }) => message !== undefined)
    }
    this.awaitReply(command)
  }

  /** The requested reply will not come. */
  noReply(): void {
    this.clearRequests()
    this.changed()
  }

  private clearRequests(): void {
    this.waitingSince = undefined
    this.requests = []
    this.unfinished = undefined
    this.superseded = undefined
    this.unanswered.settleAll()
  }

  /** The provider rejected this message of the user. */
  refused(message: string): void {
    this.unanswered.settle(message)
    this.requests = this.requests.filter((request) => request.message !== message)
    this.stopWaitingIfNothingIsOwed()
    this.changed()
  }

  private stopWaitingIfNothingIsOwed(): void {
    if (this.requests.length === 0 && this.unfinished === undefined) this.waitingSince = undefined
  }

  /** Messages of the user that were sent since the last reply began. */
  get unheardMessages(): ReadonlySet<string> {
    return new Set(this.requests.flatMap(({ message }) => message ?? []))
  }

  get awaitingReply(): boolean {
    return this.replyTimeLeft() > 0
  }

  // In milliseconds; negative infinity if no reply is expected.
  private replyTimeLeft(): number {
    if (this.waitingSince === undefined) return -Infinity
    return this.offline ? Infinity : this.waitingSince + REPLY_TIMEOUT_MILLIS - this.now()
  }

  // Called before every look at the state, so that nobody sees an overdue reply as expected.
  private dropOverdueReply(): void {
    const left = this.replyTimeLeft()
    if (left > 0 || left === -Infinity) return
    this.clearRequests()
    this.onReplyOverdue()
    this.changed()
  }

  /** Whether the user speaks or has just stopped, so that the provider may still make a turn of it. */
  get userSpeaking(): boolean {
    return this.speaking || (this.speechUntil !== undefined && this.now() < this.speechUntil)
  }

  userSpeaks(speaking: boolean): void {
    this.speechUntil = speaking || !this.speaking ? undefined : this.now() + SPEECH_PAUSE_MILLIS
    this.speaking = speaking
    this.changed()
  }

  /** The provider took what the user said as a turn. */
  userTurn(itemId: string, respond: boolean): void {
    this.speechUntil = undefined
    if (respond || this.waitingSince !== undefined) this.unanswered.asked(itemId)
    else this.unanswered.spokenInto(itemId)
    if (respond) this.awaitReply()
    else this.changed()
  }

  toolStarted(call: object = this): void {
    this.tools.add(call)
    this.changed()
  }

  toolEnded(call: object = this): void {
    this.tools.delete(call)
    this.changed()
  }

  /** What a new connection has to be asked for. */
  get owed(): Owed | undefined {
    if (this.unfinished !== undefined)
      return { what: "rest", responseId: this.unfinished, instructions: this.activeInstructions }
    return this.requests.length > 0 ? { what: "reply", instructions: instructionsOf(this.requests) } : undefined
  }

  /** The connection is gone. What it owed, the next one owes. */
  abandoned(): void {
    this.dropOverdueReply()
    if (this.active !== undefined) this.superseded = this.active
    // a reply that was requested in the meantime makes the rest of this one obsolete
    if (this.superseded !== undefined && this.requests.length === 0) {
      this.unfinished = this.superseded
      this.superseded = undefined
    }
    if (this.unfinished !== undefined) this.waitingSince = this.now()
    this.stopWaitingIfNothingIsOwed()
    this.active = undefined
    // the next connection hears the same speech again
    this.speaking = this.userSpeaking
    this.speechUntil = undefined
    this.replies.clear()
    this.offline = true
    this.changed()
  }

  /** There is a new connection. */
  connected(): void {
    this.offline = false
    if (this.waitingSince !== undefined) this.waitingSince = this.now()
    if (this.speaking) this.speechUntil = this.now() + REHEARD_MILLIS
    this.speaking = false
    this.changed()
  }

  /**
   * The model was interrupted: the rest of a reply that ended with its connection is not requested. Returns the id of that
   * reply. With `everything`, nothing but replies to the user is requested from the next connection.
   */
  discardOwed(everything: boolean): string | undefined {
    const { unfinished: cut } = this
    const all = everything && this.offline
    this.superseded = undefined
    if (cut !== undefined || all) this.discards++
    if (cut !== undefined) {
      this.unfinished = undefined
      this.unanswered.replyEnds()
    }
    if (all) this.requests = this.requests.filter(({ message }) => message !== undefined)
    this.stopWaitingIfNothingIsOwed()
    if (cut !== undefined || all) this.changed()
    return cut
  }

  /** Whether somebody speaks or is audible, a reply is on its way, or a tool runs. */
  get inTurn(): boolean {
    return this.working || this.ledger.remaining() > 0
  }

  /** Whether nothing is going on, nothing is left to play, and nothing waits to be sent. */
  get atRest(): boolean {
    return this.quiet && this.tools.size === 0
  }

  /** While `effect` runs, something is about to be sent, and the conversation is not at rest. */
  readonly whileSending = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => this.beginSending()),
      () => effect,
      (done) => Effect.sync(done)
    )

  /** The same, until the returned function is called. */
  beginSending(): () => void {
    this.pendingSends++
    return () => {
      this.pendingSends--
      this.changed()
    }
  }

  private get working(): boolean {
    return this.talking || this.tools.size > 0
  }

  // At rest, except that tools may run.
  private get quiet(): boolean {
    const silent = !this.talking && this.ledger.remaining() === 0
    return silent && this.pendingSends === 0 && this.holds === 0 && !this.pending()
  }

  private get talking(): boolean {
    return this.active !== undefined || this.awaitingReply || this.userSpeaking
  }

  private get otherToolsRun(): boolean {
    for (const call of this.tools) if (!this.idleWaiters.has(call)) return true
    return false
  }

  /** Wakes those who wait, because something may have changed. */
  readonly changed = (): void => {
    this.changedWhileHeld = this.holds > 0
    if (!this.changedWhileHeld) this.condition.signal()
  }

  /** An event is being handled that changes several things: nobody is woken, and nothing is at rest, until `release`. */
  hold(): void {
    this.holds++
  }

  release(): void {
    if (--this.holds === 0 && this.changedWhileHeld) this.changed()
  }

  // Waits until something may have changed: `changed` was called, the sound is over, or a reply is overdue.
  private readonly change = (soonest: number, within: number): Effect.Effect<void> => {
    const rest = this.ledger.remaining()
    const sound = rest > 0 ? rest : Infinity
    const left = this.replyTimeLeft()
    const watchForReplies = left === -Infinity ? Infinity : left
    const pause = !this.speaking && this.userSpeaking ? this.speechUntil! - this.now() : Infinity
    const wait = Math.max(soonest, Math.min(sound, watchForReplies, pause, within))
    const nextChange = this.condition.next()
    return wait === Infinity ? nextChange : Effect.raceFirst(Effect.sleep(wait), nextChange)
  }

  /** Waits until `holds`. `within` returns in how many milliseconds that may become true without a change. */
  until(holds: () => boolean, within: () => number = never): Effect.Effect<void> {
    return this.watch(holds, within, MIN_POLL_MILLIS)
  }

  private watch(holds: () => boolean, within: () => number, soonest: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.dropOverdueReply()
      const rest = this.ledger.remaining()
      // registered before `holds` is checked, so that no change in between is missed
      const change = this.change(soonest, within())
      if (holds()) return Effect.void
      const again = Effect.suspend(() => {
        const stuck = rest > 0 && this.ledger.remaining() >= rest
        return this.watch(holds, within, stuck ? Math.min(2 * soonest, MAX_POLL_MILLIS) : MIN_POLL_MILLIS)
      })
      return Effect.andThen(change, again)
    })
  }

  /** Drops overdue replies even while nobody waits for anything. */
  readonly dropOverdueReplies: Effect.Effect<never> = Effect.suspend(() => {
    this.dropOverdueReply()
    const left = this.replyTimeLeft()
    const nextChange = this.condition.next()
    return Math.abs(left) === Infinity ? nextChange : Effect.raceFirst(Effect.sleep(left), nextChange)
  }).pipe(Effect.forever)

  /** Waits until no sound is left to play. */
  readonly awaitSilence: Effect.Effect<void> = this.until(() => this.ledger.remaining() === 0)

  /** Waits until the conversation is not at rest. */
  readonly awaitActivity: Effect.Effect<void> = this.until(() => !this.atRest)

  /** Waits until the user does not speak, for a limited time: a provider may never report the end of speech. */
  readonly awaitUserSilence: Effect.Effect<void> = Effect.asVoid(
    Effect.timeoutOption(
      this.until(() => !this.userSpeaking),
      REPLY_TIMEOUT_MILLIS
    )
  )

  /** Waits until nobody speaks and no reply is on its way. */
  readonly awaitFloor: Effect.Effect<void> = this.until(
    () => this.active === undefined && !this.awaitingReply && !this.userSpeaking
  )

  /** Waits until nothing is going on and no sound is left to play. */
  readonly awaitIdle: Effect.Effect<void> = this.until(() => this.atRest)

  /** The same for a tool: calls that wait for idleness, this one and others, do not count. */
  awaitIdleBeside(call: object): Effect.Effect<void> {
    const rests = () => this.quiet && !this.otherToolsRun
    return Effect.acquireUseRelease(
      Effect.sync(() => this.rest(call, 1)),
      () => this.until(rests),
      () => Effect.sync(() => this.rest(call, -1))
    )
  }

  private rest(call: object, more: 1 | -1): void {
    const times = (this.idleWaiters.get(call) ?? 0) + more
    if (times > 0) this.idleWaiters.set(call, times)
    else this.idleWaiters.delete(call)
    this.changed()
  }
}

const never = (): number => Infinity

/** The instructions of several requests, joined. */
const instructionsOf = (requests: ReadonlyArray<Request>): string | undefined => {
  const all = new Set(requests.flatMap(({ instructions }) => instructions ?? []))
  return all.size === 0 ? undefined : Array.from(all).join("\n")
}
