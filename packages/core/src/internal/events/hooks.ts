/**
 * Hooks: each has a mailbox and a fiber of its own.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import { Inbox } from "../../adapter/Inbox.ts"
import type { Output, OutputTag } from "../../BidiEvent.ts"
import type { Journal } from "../session/journal.ts"
import { dropped, OBSERVER_CAPACITY } from "./dropped.ts"
import type { Fanout } from "./fanout.ts"

/** The mailbox of a hook, which gets the events with these tags. */
export const mailbox = Effect.fnUntraced(function* (fanout: Fanout, tags: ReadonlyArray<OutputTag>) {
  const inbox = new Inbox<Output, Cause.Done>(OBSERVER_CAPACITY, "sliding")
  const context = yield* Effect.context<never>()
  fanout.subscribe(tags, (event) => {
    if (!inbox.offer(event)) dropped.updateUnsafe(1, context)
  })
  return inbox
})

/**
 * Runs a hook until its mailbox ends. An event waits until the session's log has what was written before it. When the hook
 * dies or interrupts itself, that is logged, and the hook gets the next event.
 */
export const run = <R>(
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
