/**
 * Where the log of a session is kept: a store that takes its time, or that does not take what it is given last.
 */
import { BidiError, type SessionStore, type Transcript } from "@effect-bidi/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Store } from "./plan.ts"

const SLOW = 60 // milliseconds

export const make = (how: Store | undefined) => {
  const log: Array<Transcript.Entry> = []
  const ended = Deferred.makeUnsafe<void>()
  let isNear = false

  const take = (entries: ReadonlyArray<Transcript.Entry>) => Effect.sync(() => void log.push(...entries))

  const store: SessionStore.Store = {
    load: () => Effect.succeed([]),
    append: (_, entries) =>
      Effect.suspend(() => {
        if (how === "slow") return Effect.delay(take(entries), SLOW)
        if (!isNear) return take(entries)
        return how === "hanging" ? Effect.never : Effect.andThen(Deferred.await(ended), failed)
      })
  }

  return {
    store,
    log,
    /** What comes from now on it is given last. */
    endIsNear: () => void (isNear = true),
    /** The conversation ends. */
    end: () => Deferred.doneUnsafe(ended, Exit.void)
  }
}

const failed = Effect.fail(
  new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "The disk is full." }) })
)
