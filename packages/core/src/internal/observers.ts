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
import { allTags, type Output, type OutputTag } from "../BidiEvent.ts"
import type { Fanout } from "./fanout.ts"

const CAPACITY = 1024

const dropped = Metric.counter("bidi_observer_dropped", {
  description: "Events that a hook or a subscriber did not get because it was too far behind",
  incremental: true
})

/** A mailbox, and how it is subscribed to events. It ends with the conversation. */
const open = Effect.fnUntraced(function* (fanout: Fanout) {
  const queue = yield* Queue.sliding<Output, Cause.Done>(CAPACITY)
  const context = yield* Effect.context<never>()
  const offer = (event: Output) => {
    if (Queue.isFullUnsafe(queue)) dropped.updateUnsafe(1, context)
    Queue.offerUnsafe(queue, event)
  }
  return { queue, subscribe: (tags: ReadonlyArray<OutputTag>) => fanout.subscribe(tags, offer) }
})

/** A mailbox subscribed to some events. */
export const mailbox = Effect.fnUntraced(function* (fanout: Fanout, tags: ReadonlyArray<OutputTag>) {
  const { queue, subscribe } = yield* open(fanout)
  subscribe(tags)
  return queue
})

/**
 * The work of one hook, until its mailbox ends. What a hook dies of is logged, and the hook goes on.
 */
export const watch = <R>(
  queue: Queue.Dequeue<Output, Cause.Done>,
  hook: (event: Output) => Effect.Effect<void, never, R>
): Effect.Effect<void, never, R> =>
  Queue.take(queue).pipe(
    Effect.flatMap((event) =>
      Effect.catchDefect(hook(event), (defect) => Effect.logError(`a hook on ${event._tag} died`, defect))
    ),
    Effect.forever({ disableYield: true }),
    Pull.catchDone(() => Effect.void)
  )

/**
 * Everything, for whoever may ask. Sound is kept from then on: a mailbox full of it that nobody takes is more than all the
 * rest of a conversation. Event by event, so that a consumer that stops early leaves the rest for the next one.
 */
export const everything = Effect.fnUntraced(function* (fanout: Fanout) {
  const { queue, subscribe } = yield* open(fanout)
  subscribe(silent)
  let asked = false
  const stream: Stream.Stream<Output> = Stream.suspend(() => {
    if (!asked) subscribe(["AudioStream"])
    asked = true
    return Stream.fromEffectRepeat(Queue.take(queue))
  })
  return { queue, stream }
})

const silent = allTags.filter((tag) => tag !== "AudioStream")
