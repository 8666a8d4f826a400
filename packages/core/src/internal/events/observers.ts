/**
 * Those who watch: hooks, and the stream of events of a conversation that was started by hand. Each has a mailbox that
 * drops the oldest event when full; a watcher that stalls costs memory and a counter, never time.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { Inbox } from "../../adapter/Inbox.ts"
import type { Output, OutputTag } from "../../BidiEvent.ts"
import { allTags } from "./tags.ts"
import type { Journal } from "../session/journal.ts"
import type { Fanout } from "./fanout.ts"

const CAPACITY = 1024
const KEEPING_UP = "1 second"

const dropped = Metric.counter("bidi_observer_dropped", {
  description: "Events that a hook or a subscriber did not get because it was too far behind",
  incremental: true
})

/** A mailbox of one hook, subscribed to some events. It ends with the conversation. */
export const mailbox = Effect.fnUntraced(function* (fanout: Fanout, tags: ReadonlyArray<OutputTag>) {
  const inbox = new Inbox<Output, Cause.Done>(CAPACITY, "sliding")
  const context = yield* Effect.context<never>()
  fanout.subscribe(tags, (event) => {
    if (!inbox.offer(event)) dropped.updateUnsafe(1, context)
  })
  return inbox
})

/**
 * The work of one hook, until its mailbox ends. It hears of nothing that the session's log does not know. What a hook dies
 * of, or is interrupted by from within, is logged, and the hook goes on.
 */
export const watch = <R>(
  inbox: Inbox<Output, Cause.Done>,
  hook: (event: Output) => Effect.Effect<void, never, R>,
  journal: Journal
): Effect.Effect<void, never, R> =>
  inbox.take.pipe(
    Effect.flatMap((event) =>
      Effect.catchCause(journal.isDurable() ? hook(event) : Effect.andThen(journal.durable, hook(event)), (cause) =>
        Effect.logError(`a hook on ${event._tag} died`, cause)
      )
    ),
    Effect.forever({ disableYield: true }),
    Pull.catchDone(() => Effect.void)
  )

/**
 * Everything, for whoever may ask. Sound, thoughts, and what is unknown, are kept from then on: a mailbox full of it that
 * nobody takes is more than all the rest of a conversation. Event by event, so that a consumer that stops early leaves the
 * rest for the next one. There may be several.
 *
 * `caughtUp` waits until those who read have dealt with all there was when it began, if they keep up: whoever is a second
 * behind, or loses events, is not waited for.
 */
export const everything = Effect.fnUntraced(function* (fanout: Fanout) {
  const queue = yield* Queue.sliding<Output, Cause.Done>(CAPACITY)
  const context = yield* Effect.context<never>()
  let offered = 0 // and not dropped
  let dealtWith = 0
  let lost = 0
  let readers = 0
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of Array.from(waiting)) look()
  }
  const subscribe = (tags: ReadonlyArray<OutputTag>) =>
    fanout.subscribe(tags, (event) => {
      if (Queue.isFullUnsafe(queue)) {
        dropped.updateUnsafe(1, context)
        lost++
        changed()
      } else offered++
      Queue.offerUnsafe(queue, event)
    })
  subscribe(atOnce)
  let asked = false
  const stream: Stream.Stream<Output> = Stream.suspend(() => {
    if (!asked) subscribe(whenAsked)
    asked = true
    readers++
    let holding = false
    const putDown = () => {
      if (holding) dealtWith++
      holding = false
      if (waiting.size > 0) changed()
    }
    const take = Effect.suspend(() => {
      // whoever wants the next one has dealt with the one before
      putDown()
      return Effect.map(Queue.take(queue), (event) => {
        holding = true
        return event
      })
    })
    const stop = Effect.sync(() => {
      readers--
      putDown()
    })
    return Stream.ensuring(Stream.fromEffectRepeat(take), stop)
  })
  const caughtUp = Effect.callback<void>((resume) => {
    const [until, lostBefore] = [offered, lost]
    const look = () => {
      if (readers > 0 && dealtWith < until && lost === lostBefore) return
      waiting.delete(look)
      resume(Effect.void)
    }
    waiting.add(look)
    look()
    return Effect.sync(() => waiting.delete(look))
  }).pipe(Effect.timeoutOption(KEEPING_UP), Effect.asVoid)
  return { queue, stream, caughtUp }
})

export type Everything = Effect.Success<ReturnType<typeof everything>>

const whenAsked: ReadonlyArray<OutputTag> = ["AudioStream", "Reasoning", "Unknown"]
const atOnce = allTags.filter((tag) => !whenAsked.includes(tag))
