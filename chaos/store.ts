/**
 * Where the log of a session is kept: a store that takes its time, or that does not take what it is given last.
 */
import { BidiError, type SessionRecord, SessionLog, SessionStore } from "@effect-bidi/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Store } from "./plan.ts"

const SLOW = 60 // milliseconds

export const make = Effect.fnUntraced(function* (how: Store | undefined) {
  const memory = yield* SessionStore.makeMemory
  const ended = Deferred.makeUnsafe<void>()
  let isNear = false

  const taking = (take: Effect.Effect<void, BidiError.BidiError>) =>
    Effect.suspend(() => {
      if (how === "slow") return Effect.delay(take, SLOW)
      if (!isNear) return take
      return how === "hanging" ? Effect.never : Effect.andThen(Deferred.await(ended), failed)
    })

  const store: SessionStore.Store = {
    read: memory.read,
    open: (sessionId, options) =>
      Effect.map(memory.open(sessionId, options), (session) => ({
        ...session,
        append: (records) => taking(session.append(records))
      }))
  }

  return {
    store,
    /** What the log of a session adds up to. */
    log: (sessionId: string) =>
      Effect.map(Stream.runCollect(memory.read(sessionId)), (records: ReadonlyArray<SessionRecord.Record>) =>
        SessionLog.fold(records)
      ).pipe(Effect.orDie),
    /** What comes from now on it is given last. */
    endIsNear: () => void (isNear = true),
    /** The conversation ends. */
    end: () => Deferred.doneUnsafe(ended, Exit.void)
  }
})

const failed = Effect.fail(
  new BidiError.BidiError({ reason: new BidiError.StoreFailed({ message: "The disk is full." }) })
)
