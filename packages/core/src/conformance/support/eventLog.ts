/**
 * The events so far, and waiting for more.
 */
import * as Effect from "effect/Effect"
import * as Condition from "../../internal/condition.ts"

interface Tagged {
  readonly _tag: string
}

export interface EventLog<Event extends Tagged> {
  readonly events: () => ReadonlyArray<Event>
  readonly all: <Tag extends Event["_tag"]>(tag: Tag) => ReadonlyArray<Extract<Event, { readonly _tag: Tag }>>
  /** Waits for the n-th event with a tag, counted from 1. */
  readonly until: <Tag extends Event["_tag"]>(
    tag: Tag,
    times?: number
  ) => Effect.Effect<Extract<Event, { readonly _tag: Tag }>>
  /** Waits until `find` finds something; it looks at every change. */
  readonly waitFor: <A>(what: string, find: () => A | undefined) => Effect.Effect<A>
  readonly add: (event: Event) => void
  /** Something has changed that is not an event. */
  readonly changed: () => void
}

const EVENT_TIMEOUT = "20 seconds"

export const make = <Event extends Tagged>(): EventLog<Event> => {
  const events: Array<Event> = []
  const condition = Condition.make()
  // who waits goes on in a turn of its own, not in the stack of the event
  const changed = () => queueMicrotask(condition.signal)

  const waitFor = <A>(what: string, find: () => A | undefined): Effect.Effect<A> =>
    Effect.suspend(() => {
      let found: A | undefined
      const waiting = condition.until(() => (found = find()) !== undefined)
      return Effect.map(waiting, () => found!)
    }).pipe(
      Effect.timeoutOrElse({
        duration: EVENT_TIMEOUT,
        orElse: () =>
          Effect.die(
            new Error(`${what} did not come within ${EVENT_TIMEOUT}; the events were ${events.map((e) => e._tag)}`)
          )
      })
    )

  const all = <Tag extends Event["_tag"]>(tag: Tag) =>
    events.filter((event): event is Extract<Event, { readonly _tag: Tag }> => event._tag === tag)

  return {
    events: () => events,
    all,
    until: (tag, times = 1) => waitFor(`${tag} (${times})`, () => all(tag)[times - 1]),
    waitFor,
    add: (event) => {
      events.push(event)
      changed()
    },
    changed
  }
}
