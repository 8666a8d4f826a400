/**
 * Everything that was reported so far, and waiting for more.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

interface Tagged {
  readonly _tag: string
}

export interface Watch<Event extends Tagged> {
  readonly events: () => ReadonlyArray<Event>
  readonly all: <Tag extends Event["_tag"]>(tag: Tag) => ReadonlyArray<Extract<Event, { readonly _tag: Tag }>>
  /** Waits for the n-th event of a kind, counted from 1. */
  readonly until: <Tag extends Event["_tag"]>(
    tag: Tag,
    times?: number
  ) => Effect.Effect<Extract<Event, { readonly _tag: Tag }>>
  /** Waits until something is found; it is looked for whenever there is news. */
  readonly waitFor: <A>(what: string, find: () => A | undefined) => Effect.Effect<A>
  readonly add: (event: Event) => void
  /** There is news that is no event. */
  readonly changed: () => void
}

const PATIENCE = "20 seconds"

export const make = <Event extends Tagged>(): Effect.Effect<Watch<Event>> =>
  Effect.map(Latch.make(), (news) => {
    const events: Array<Event> = []
    // who waits goes on by itself, and not in the middle of what is told
    const changed = () => queueMicrotask(() => news.openUnsafe())

    const waitFor = <A>(what: string, find: () => A | undefined): Effect.Effect<A> =>
      Effect.gen(function* () {
        while (true) {
          news.closeUnsafe()
          const found = find()
          if (found !== undefined) return found
          yield* news.await
        }
      }).pipe(
        Effect.timeoutOrElse({
          duration: PATIENCE,
          orElse: () => Effect.die(new Error(`waited for ${what} in vain; there were ${events.map((e) => e._tag)}`))
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
  })
