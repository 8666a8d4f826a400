/**
 * The stream of all events of a conversation that was started by hand.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Output, OutputTag } from "../../BidiEvent.ts"
import * as Condition from "../condition.ts"
import { dropped, OBSERVER_CAPACITY } from "./dropped.ts"
import type { Fanout } from "./fanout.ts"
import { allTags } from "./tags.ts"

// A reader that is further behind is not waited for.
const CATCH_UP_TIMEOUT = "1 second"

// Of these there are more than of all others together: they are kept from the first reader on.
const KEPT_FOR_READERS: ReadonlyArray<OutputTag> = [
  "AudioStream",
  "UserAudio",
  "Playback",
  "MessageAdded",
  "Reasoning",
  "Unknown"
]
const KEPT_ALWAYS = allTags.filter((tag) => !KEPT_FOR_READERS.includes(tag))

export interface EventStream {
  /** Takes event by event: what a reader leaves when it stops early is for the next one. There may be several. */
  readonly stream: Stream.Stream<Output>
  /**
   * Waits until the readers have handled all events that there were when it began. It does not wait for readers that are
   * more than a second behind, or lose events.
   */
  readonly caughtUp: Effect.Effect<void>
  readonly end: Effect.Effect<unknown>
}

export const make = Effect.fnUntraced(function* (fanout: Fanout) {
  const queue = yield* Queue.sliding<Output, Cause.Done>(OBSERVER_CAPACITY)
  const context = yield* Effect.context<never>()
  const progress = Condition.make()
  let offered = 0 // and not dropped
  let handled = 0
  let lost = 0
  let readers = 0
  let hasReaders = false

  const subscribe = (tags: ReadonlyArray<OutputTag>) =>
    fanout.subscribe(tags, (event) => {
      if (Queue.isFullUnsafe(queue)) {
        dropped.updateUnsafe(1, context)
        lost++
        progress.signal()
      } else offered++
      Queue.offerUnsafe(queue, event)
    })
  subscribe(KEPT_ALWAYS)

  const stream: Stream.Stream<Output> = Stream.suspend(() => {
    if (!hasReaders) subscribe(KEPT_FOR_READERS)
    hasReaders = true
    readers++
    let holds = false // an event that it handles
    const release = () => {
      if (holds) handled++
      holds = false
      progress.signal()
    }
    const take = Effect.suspend(() => {
      // a reader that wants the next event has handled the one before
      release()
      return Effect.map(Queue.take(queue), (event) => {
        holds = true
        return event
      })
    })
    const stop = Effect.sync(() => {
      readers--
      release()
    })
    return Stream.ensuring(Stream.fromEffectRepeat(take), stop)
  })

  const caughtUp = Effect.suspend(() => {
    const [until, lostBefore] = [offered, lost]
    return progress.until(() => readers === 0 || handled >= until || lost !== lostBefore)
  }).pipe(Effect.timeoutOption(CATCH_UP_TIMEOUT), Effect.asVoid)

  return { stream, caughtUp, end: Queue.end(queue) } satisfies EventStream
})
