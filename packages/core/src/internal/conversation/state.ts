/**
 * The values of the application that belong to the session, as JSON by their keys. See `AgentState`.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { BidiError } from "../../BidiError.ts"
import type { StateValues } from "../../CurrentConversation.ts"
import type { Journal } from "../session/journal.ts"

/** `orEnded` waits, and fails with the end of the conversation. */
export const make = (
  journal: Journal,
  orEnded: (waiting: Effect.Effect<void>) => Effect.Effect<void, BidiError>
): StateValues => {
  const values = new Map(journal.restored.state)
  const one = Semaphore.makeUnsafe(1)

  const write = (key: string, value: Schema.Json) => {
    values.set(key, value)
    journal.write({ _tag: "State", key, value })
    return orEnded(journal.durable)
  }

  return {
    get: (key) => values.get(key),
    set: (key, value) => one.withPermit(Effect.suspend(() => write(key, value))),
    modify: (key, change) =>
      Effect.flatMap(
        Effect.suspend(() => change(values.get(key))),
        ([result, value]) => Effect.as(write(key, value), result)
      ).pipe(one.withPermit)
  }
}
