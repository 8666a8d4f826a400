/**
 * Messages of a callback, for one fiber that waits for them.
 *
 * A `Queue` does this too, for any number of takers. What it remembers of each that waits is linked from one wait to the
 * next, and with fifty a second in each session the garbage of every wait gets into the old generation of the heap: the
 * longest pauses of a process with hundreds of sessions came from there.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

/**
 * A bounded mailbox with one reader. Whoever offers never runs the reader in its own stack.
 *
 * @category models
 */
export class Inbox<A, E = never> {
  private readonly capacity: number
  private readonly sliding: boolean
  private messages: Array<A> = []
  private end: Exit.Exit<never, E> | undefined
  private waiting: (() => void) | undefined
  private waking = false

  /** What does not fit is refused (`dropping`), or the oldest message goes for it (`sliding`). */
  constructor(capacity: number, strategy: "dropping" | "sliding") {
    this.capacity = capacity
    this.sliding = strategy === "sliding"
  }

  /** `false`: a message was lost, the oldest or this one. After the end, none counts any more. Never throws. */
  offer(message: A): boolean {
    if (this.end !== undefined) return true
    const full = this.messages.length >= this.capacity
    if (full && !this.sliding) return false
    if (full) this.messages.shift()
    this.messages.push(message)
    this.wake()
    return !full
  }

  /** What waits is still taken, then this is what there is. The first end counts. */
  done(end: Exit.Exit<never, E>): void {
    if (this.end !== undefined) return
    this.end = end
    this.wake()
  }

  /** The next message. */
  readonly take: Effect.Effect<A, E> = Effect.suspend(() =>
    this.messages.length > 0 ? Effect.succeed(this.messages.shift()!) : this.more(this.take)
  )

  /** All that wait, at least one. */
  readonly takeAll: Effect.Effect<[A, ...Array<A>], E> = Effect.suspend(() => {
    if (this.messages.length === 0) return this.more(this.takeAll)
    const all = this.messages as [A, ...Array<A>]
    this.messages = []
    return Effect.succeed(all)
  })

  private more<B>(again: Effect.Effect<B, E>): Effect.Effect<B, E> {
    return this.end ?? Effect.andThen(this.told, again)
  }

  private readonly told = Effect.callback<void>((resume) => {
    // a fiber may make room for others at any step, also between looking and waiting
    if (this.messages.length > 0 || this.end !== undefined) return resume(Effect.void)
    this.waiting = () => resume(Effect.void)
    return Effect.sync(() => {
      this.waiting = undefined
    })
  })

  private wake(): void {
    if (this.waking || this.waiting === undefined) return
    this.waking = true
    queueMicrotask(this.awake)
  }

  private readonly awake = (): void => {
    const { waiting } = this
    this.waking = false
    this.waiting = undefined
    waiting?.()
  }
}
