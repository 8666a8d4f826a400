/**
 * How a connection is opened and let go of: in time, in a scope of its own, by a handle where there is one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { BidiError, ConnectionLost } from "../BidiError.ts"
import type { Connection } from "../BidiModel.ts"
import * as Transcript from "../Transcript.ts"
import { bounded } from "./closing.ts"
import type { Configured } from "./configured.ts"
import type { Rooms } from "./rooms.ts"

export interface Dialed {
  readonly connection: Connection
  readonly scope: Scope.Closeable
  /** When it was opened, in milliseconds of the clock. */
  readonly at: number
  /** The version of the configuration that it has. */
  version: number
  /** The entries that the provider kept, where the connection was resumed on its side. */
  readonly kept: ReadonlySet<string> | undefined
}

/** By which a connection can be resumed, and what the provider knew then. */
interface Handle {
  readonly value: string
  readonly kept: ReadonlySet<string>
}

export const dialing = (
  { memory, model, now }: Rooms,
  scope: Scope.Scope,
  configured: Configured,
  timeout: Duration.Input
) => {
  let handle: Handle | undefined

  const lost = (message: string) => new BidiError({ reason: new ConnectionLost({ message }), provider: model.provider })

  const hangUp = (dialed: Pick<Dialed, "scope">) => bounded("a connection", Scope.close(dialed.scope, Exit.void))

  const dialWith = Effect.fnUntraced(function* (resume: Handle | undefined) {
    const child = yield* Scope.fork(scope)
    const { current, version } = configured
    const connection = yield* model.connect({ ...current, resume: resume?.value }).pipe(
      Scope.provide(child),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () => Effect.fail(lost(`no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`))
      }),
      Effect.onExit((exit) => (Exit.isFailure(exit) ? hangUp({ scope: child }) : Effect.void))
    )
    return { connection, scope: child, at: now(), version, kept: resume?.kept } satisfies Dialed
  })

  /** Opens a connection that knows nothing. */
  const dial = Effect.suspend(() => dialWith(undefined))

  /** Opens a connection by the last handle, once: what that does not cure, a connection that knows nothing does. */
  const redial = Effect.suspend(() => {
    const resume = handle
    handle = undefined
    if (resume === undefined) return dial
    return Effect.catchIf(
      dialWith(resume),
      ({ reason }) => reason._tag !== "Auth" && reason._tag !== "Quota",
      (error) => Effect.andThen(Effect.logDebug("the connection cannot be resumed", error.message), dial)
    )
  })

  return {
    lost,
    hangUp,
    dial,
    redial,
    /** The connection can be resumed by this handle from now on, or not. */
    resumable: (value: string | undefined): void => {
      // what the user said last may have been on its way when the provider gave the handle
      const [known] = Transcript.splitUnanswered(memory.transcript())
      handle = value === undefined ? undefined : { value, kept: new Set(known.map((entry) => entry.id)) }
    }
  }
}
