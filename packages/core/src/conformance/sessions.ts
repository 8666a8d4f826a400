/**
 * A process is killed in the middle of a conversation, and the next one goes on.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Scenario } from "../ConformanceLab.ts"
import * as SessionStore from "../SessionStore.ts"
import { start, until } from "./support/call.ts"
import { check } from "./support/check.ts"

/** A store that keeps what it is given until the process is killed. */
const mortal = Effect.map(SessionStore.makeMemory, (memory) => {
  let dead = false
  const store: SessionStore.Store = {
    read: memory.read,
    open: (sessionId, options) =>
      Effect.map(memory.open(sessionId, options), (session) => ({
        ...session,
        append: (records) => Effect.suspend(() => (dead ? Effect.void : session.append(records)))
      }))
  }
  return { memory, store, kill: () => void (dead = true) }
})

const SESSION = { sessionId: "ada" } as const

const book = Tool.make("book", { success: Schema.String })
const toolkit = Toolkit.make(book)

export const sessions: ReadonlyArray<Scenario> = [
  {
    name: "answers a question that a process which was killed had taken",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const { kill, memory, store } = yield* mortal
        const scope = yield* Scope.make()
        const first = yield* start({}, undefined, SESSION).pipe(
          Effect.provideService(SessionStore.SessionStore, store),
          Scope.provide(scope)
        )
        yield* server.hold
        yield* server.reply({ text: "Nobody hears this." })
        yield* first.send("What is my name?")
        kill()
        yield* Scope.close(scope, Exit.void)
        yield* server.release
        yield* server.reply({ text: "Your name is Ada." })
        const second = yield* start({}, undefined, SESSION).pipe(
          Effect.provideService(SessionStore.SessionStore, memory)
        )
        yield* second.untilSaid("Your name is Ada.")
      }).pipe(Effect.scoped, Effect.provide(model))
  },
  {
    name: "tells the model of a call that a process which was killed had begun, and does not make it again",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const { kill, memory, store } = yield* mortal
        let begun = 0
        const handlers = toolkit.toLayer({
          book: () =>
            Effect.andThen(
              Effect.sync(() => void begun++),
              Effect.never
            )
        })
        const profile = { toolkit: Effect.provide(toolkit, handlers) }
        const scope = yield* Scope.make()
        const first = yield* start(profile, undefined, SESSION).pipe(
          Effect.provideService(SessionStore.SessionStore, store),
          Scope.provide(scope)
        )
        yield* server.reply({ calls: [{ name: "book", arguments: {} }] })
        yield* first.send("Book a table.")
        yield* until(() => begun === 1)
        kill()
        yield* Scope.close(scope, Exit.void)
        yield* server.reply({ text: "I do not know whether it is booked." })
        const second = yield* start(profile, undefined, SESSION).pipe(
          Effect.provideService(SessionStore.SessionStore, memory)
        )
        yield* server.received("its result is unknown")
        yield* second.untilSaid("I do not know whether it is booked.")
        yield* check(begun === 1, "the tool ran again")
      }).pipe(Effect.scoped, Effect.provide(model))
  }
]
