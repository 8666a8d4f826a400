/**
 * A model that follows a script, and keeps everything that reached it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Audio from "../../Audio.ts"
import { BidiModel, type Setup } from "../../BidiModel.ts"
import type { Logged, ModelOptions, Script, TestModel } from "../../TestModel.ts"
import * as Connection from "./connection.ts"

export const make = Effect.fnUntraced(function* (script: Script, options: ModelOptions = {}) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const log: Array<Logged> = []
  const format = options.output ?? Audio.pcm(24_000)
  let generations = 0
  let open = 0
  const ids = { last: 0 }
  let surprise: Cause.Cause<never> | undefined
  const scope = yield* Effect.serviceOption(Scope.Scope)
  if (Option.isSome(scope)) {
    const judge = Effect.suspend(() => (surprise === undefined ? Effect.void : Effect.failCause(surprise)))
    yield* Scope.addFinalizer(scope.value, judge)
  }

  const connect = Effect.fnUntraced(function* (setup: Setup) {
    const generation = ++generations
    const record: Connection.Shared["record"] = (entry) => void log.push({ at: now(), generation, ...entry })
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        open++
        record({ _tag: "Dialed", setup })
      }),
      () =>
        Effect.sync(() => {
          open--
          record({ _tag: "Closed" })
        })
    )
    const { connection, die, line, ready } = yield* Connection.make(generation, setup, {
      format,
      ids,
      record
    })
    yield* Effect.forkScoped(
      Effect.onError(script(line), (cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.void
        surprise ??= cause
        return die(cause)
      }),
      { startImmediately: true }
    )
    yield* ready
    const { lifetime } = options
    return {
      id: `connection-${generation}`,
      expiresAt: lifetime === undefined ? undefined : now() + Duration.toMillis(Duration.fromInputUnsafe(lifetime)),
      ...connection
    }
  })

  return {
    layer: Layer.succeed(BidiModel, {
      provider: "test",
      model: "scripted",
      input: options.input ?? Audio.pcm(24_000),
      output: format,
      capabilities: {
        truncation: true,
        images: true,
        manualTurns: true,
        resumption: false,
        overlap: true,
        midSessionUpdate: true,
        ...options.capabilities
      },
      limits: options.limits ?? {},
      connect
    }),
    log: () => log,
    commands: () => log.flatMap((entry) => (entry._tag === "Command" ? [entry.command] : [])),
    open: () => open
  } satisfies TestModel
})
