/**
 * Messages of a callback, for one fiber.
 *
 * A `Queue` does this too, for any number of takers, and wakes a fiber for every message. For a frame of sound, fifty a
 * second in each direction of hundreds of sessions, that costs more than all that is done with it. Here a fiber that
 * waits has whoever brings a message hand it over, and sleeps on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"

/**
 * Takes a message: at once, or by an effect that ends before the next message is taken. What it throws is a defect of
 * that effect.
 *
 * @category models
 * @since 0.1.0
 */
export type Consume<in A, out E = never, out R = never> = (message: A) => Effect.Effect<void, E, R> | undefined

/**
 * Takes one message after the other, as one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const takeEach = <A>(messages: ReadonlyArray<A>, take: Consume<A>): Effect.Effect<void> | undefined => {
  for (let i = 0; i < messages.length; i++) {
    const more = take(messages[i]!)
    if (more === undefined) continue
    const rest = messages.slice(i + 1)
    return Effect.andThen(
      more,
      Effect.suspend(() => takeEach(rest, take) ?? Effect.void)
    )
  }
  return undefined
}

/**
 * Takes the elements of a stream.
 *
 * @category combinators
 * @since 0.1.0
 */
export const takeStream = <A, E, R>(stream: Stream.Stream<A, E, R>, take: Consume<A>): Effect.Effect<void, E, R> =>
  Stream.runForEachArray(stream, (messages) => Effect.suspend(() => takeEach(messages, take) ?? Effect.void))

/**
 * A bounded mailbox with one reader. Whoever offers never runs a fiber in its own stack.
 *
 * @category models
 * @since 0.1.0
 */
export class Inbox<A, E = never> {
  private readonly capacity: number
  private readonly sliding: boolean
  private messages: Array<A> = []
  private end: Exit.Exit<never, E> | undefined
  private taker: Consume<A, any, any> | undefined // of a fiber that waits for something to do
  private leave: (work: Work) => void = () => {} // has that fiber do it
  private taking = false
  private behind = false // something waits, or the end has come; asked for every message
  private waiting: (() => void) | undefined // a fiber that waits for a message

  /** What does not fit is refused (`dropping`), or the oldest message goes for it (`sliding`). */
  constructor(capacity: number, strategy: "dropping" | "sliding") {
    this.capacity = capacity
    this.sliding = strategy === "sliding"
  }

  /** `false`: a message was lost, the oldest or this one. After the end, none counts any more. Never throws. */
  offer(message: A): boolean {
    if (this.end !== undefined) return true
    if (this.taker !== undefined && !this.taking) {
      this.hand(this.taker, message)
      if (this.behind) this.flow()
      return true
    }
    this.behind = true
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
    this.behind = true
    this.flow()
    this.wake()
  }

  /** Drops messages that wait. */
  retain(keep: (message: A) => boolean): void {
    this.messages = this.messages.filter(keep)
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

  /**
   * Takes every message, until the end. One that finds nothing before it is taken in the stack of whoever offers it; the
   * fiber wakes only for what `take` leaves it to do.
   */
  forEach<E2 = never, R = never>(take: Consume<A, E2, R>): Effect.Effect<never, E | E2, R> {
    return Effect.withFiber(({ currentDispatcher }) =>
      Effect.forever(
        Effect.callback<void, E | E2, R>((resume) => {
          this.taker = take
          this.leave = (work) => {
            this.taker = undefined
            currentDispatcher.scheduleTask(() => resume(work), 0)
          }
          this.flow()
          return Effect.sync(() => {
            this.taker = undefined
          })
        }),
        { disableYield: true }
      )
    )
  }

  private hand(take: Consume<A, any, any>, message: A): void {
    this.taking = true
    let more: Work | undefined
    try {
      more = take(message)
    } catch (defect) {
      more = Effect.die(defect)
    }
    this.taking = false
    if (more !== undefined) this.leave(more)
  }

  private flow(): void {
    if (this.taking) return
    while (this.taker !== undefined && this.messages.length > 0) this.hand(this.taker, this.messages.shift()!)
    if (this.messages.length === 0 && this.end === undefined) this.behind = false
    if (this.taker !== undefined && this.end !== undefined) this.leave(this.end)
  }

  private more<B>(again: Effect.Effect<B, E>): Effect.Effect<B, E> {
    return this.end ?? Effect.andThen(this.told, again)
  }

  private readonly told = Effect.withFiber(({ currentDispatcher }) =>
    Effect.callback<void>((resume) => {
      // a fiber may make room for others at any step, also between looking and waiting
      if (this.messages.length > 0 || this.end !== undefined) return resume(Effect.void)
      this.waiting = () => currentDispatcher.scheduleTask(() => resume(Effect.void), 0)
      return Effect.sync(() => {
        this.waiting = undefined
      })
    })
  )

  private wake(): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.waiting = undefined
    waiting()
  }
}

// What each fiber may fail with and needs is known to `forEach` alone.
type Work = Effect.Effect<void, any, any>
