/**
 * Opens and closes connections: within a time limit, each in its own scope, resumed by a handle if there is one.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { BidiError, ConnectionLost } from "../../BidiError.ts"
import type { BidiModel, Connection, Profile } from "../../BidiModel.ts"
import { bounded } from "../conversation/shutdown.ts"
import type { ConfigurationState } from "./configuration.ts"
import type { KnownByProvider } from "./resumption.ts"
import type { Restored } from "../../SessionLog.ts"
import { settle } from "../session/settling.ts"
import type { Services } from "../conversation/services.ts"

export interface Dialed {
  readonly connection: Connection
  readonly scope: Scope.Closeable
  /** When it was opened, in milliseconds of the clock. */
  readonly at: number
  /** The profile that it has. */
  configuration: Profile
  /** Fails when it rejects the profile that it should have. */
  readonly broken: Deferred.Deferred<never, BidiError>
  /** What the provider knew already, if the connection was resumed. */
  readonly kept: KnownByProvider | undefined
  /** Whether it has shown that it knows the history: there was none, or it has replied since. */
  knows: boolean
}

/** Resumes a connection; `kept` is what the provider knew when it issued the handle. */
interface Handle {
  readonly value: string
  readonly kept: KnownByProvider
}

// The last handle of an earlier process, unless something was settled since that the provider knows otherwise.
const handleOf = (restored: Restored, model: BidiModel["Service"]): Handle | undefined => {
  const { handle } = restored
  if (handle === undefined || handle.provider !== model.provider || handle.model !== model.model) return undefined
  if (settle(restored).length > 0 || restored.profile !== undefined) return undefined
  return { value: handle.handle, kept: { ids: handle.ids, calls: handle.calls } }
}

// The longest `retryAfter` of a provider that is honoured by default.
const MAX_RETRY_AFTER = Duration.minutes(1)

/** How long the provider asked to wait, at most what the application allows. */
export const retryAfter = ({ reason }: BidiError, most: Duration.Input = MAX_RETRY_AFTER): Duration.Duration =>
  reason._tag === "RateLimited" && reason.retryAfter !== undefined
    ? Duration.min(reason.retryAfter, Duration.fromInputUnsafe(most))
    : Duration.zero

type Dialing = (configuration: Profile) => Effect.Effect<Dialed, BidiError>

export type Dialer = ReturnType<typeof makeDialer>

export const makeDialer = (
  { history, journal, model, now, turn, untold }: Services,
  scope: Scope.Scope,
  configured: ConfigurationState,
  timeout: Duration.Input
) => {
  let handle = handleOf(journal.restored, model)

  const lost = (message: string, code?: string) =>
    new BidiError({
      reason: new ConnectionLost({ message, ...(code === undefined ? {} : { code }) }),
      provider: model.provider
    })

  /** Limits how long to wait for the provider: a connection that makes no progress is lost. */
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string, code?: string) =>
    Effect.timeoutOrElse(effect, {
      duration: timeout,
      orElse: () => Effect.fail(lost(`${what} within ${Duration.format(Duration.fromInputUnsafe(timeout))}`, code))
    })

  const hangUp = (dialed: Pick<Dialed, "scope">) => bounded("a connection", Scope.close(dialed.scope, Exit.void))

  // Interruptible while the provider answers, leaving nothing behind; uninterruptible once it has answered.
  const dialWith = Effect.fnUntraced(function* (configuration: Profile, resume: Handle | undefined) {
    const child = yield* Scope.fork(scope)
    const connection = yield* inTime(
      Scope.provide(model.connect({ ...configuration, resume: resume?.value }), child),
      "the provider did not answer"
    ).pipe(
      Effect.interruptible,
      Effect.onExit((exit) => (Exit.isFailure(exit) ? hangUp({ scope: child }) : Effect.void))
    )
    return {
      connection,
      scope: child,
      at: now(),
      configuration,
      broken: Deferred.makeUnsafe<never, BidiError>(),
      kept: resume?.kept,
      knows: false
    } satisfies Dialed
  }, Effect.uninterruptible)

  // If no connection can be opened with a change, the change is refused and the next attempt uses the old profile. A
  // connection whose profile is no longer wanted by the time it is open is closed again.
  const asWanted = (dialing: Dialing): Effect.Effect<Dialed, BidiError> =>
    Effect.suspend(() => {
      const { pending, wanted } = configured
      const again = Effect.suspend(() => asWanted(dialing))
      return Effect.matchEffect(dialing(wanted), {
        onSuccess: (dialed) =>
          model.capabilities.midSessionUpdate || dialed.configuration === configured.wanted
            ? Effect.succeed(dialed)
            : Effect.andThen(hangUp(dialed), again),
        onFailure: (error) => (pending !== undefined && configured.failed(pending, error) ? again : Effect.fail(error))
      })
    }).pipe(Effect.uninterruptible)

  /** Opens a fresh connection. */
  const dial = asWanted((configuration) => dialWith(configuration, undefined))

  /** Opens a connection for the pending change. If that is refused, the change fails for its caller. */
  const dialChange = Effect.suspend(() => {
    const { pending, wanted } = configured
    return Effect.catch(dialWith(wanted, undefined), (error) =>
      pending !== undefined && configured.failed(pending, error)
        ? Effect.interruptible(Effect.never)
        : Effect.fail(error)
    )
  })

  /** Resumes by the last handle, once; if that fails, opens a fresh connection. */
  const redial = asWanted((configuration) =>
    Effect.suspend(() => {
      const resume = handle
      handle = undefined
      const fresh = dialWith(configuration, undefined)
      if (resume === undefined) return fresh
      return Effect.catchIf(
        dialWith(configuration, resume),
        ({ reason }) => reason._tag !== "Auth" && reason._tag !== "Quota",
        (error) =>
          Effect.logDebug("the connection could not be resumed", error.message).pipe(
            Effect.andThen(fresh),
            // the handle may not have been the problem
            Effect.tapError((error) => Effect.sync(() => void (error.isRetryable || (handle ??= resume))))
          )
      )
    })
  )

  return {
    lost,
    inTime,
    hangUp,
    dial,
    dialChange,
    redial,
    /** From now on this handle resumes the connection; `undefined` if nothing does. */
    resumable: (value: string | undefined): void => {
      // an unanswered turn may still have been on its way when the provider issued the handle
      const entries = history.transcript()
      const known = entries.flatMap(({ id }) => (turn.unanswered.has(id) ? [] : id))
      if (journal.on) {
        const without = entries.flatMap(({ id }) => (turn.unanswered.has(id) ? id : []))
        const { model: name, provider } = model
        const calls = Array.from(untold)
        journal.write({ _tag: "Handle", provider, model: name, handle: value ?? null, without, calls })
      }
      handle = value === undefined ? undefined : { value, kept: { ids: new Set(known), calls: new Set(untold) } }
    }
  }
}
