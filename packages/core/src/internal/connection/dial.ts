/**
 * How a connection is opened and let go of: in time, in a scope of its own, by a handle where there is one.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { BidiError, ConnectionLost } from "../../BidiError.ts"
import type { Profile, Connection } from "../../BidiModel.ts"
import { bounded } from "../conversation/shutdown.ts"
import type { ConfigurationState } from "./configuration.ts"
import type { KnownByProvider } from "./resumption.ts"
import type { Services } from "../conversation/services.ts"

export interface Dialed {
  readonly connection: Connection
  readonly scope: Scope.Closeable
  /** When it was opened, in milliseconds of the clock. */
  readonly at: number
  /** The configuration that it has. */
  configuration: Profile
  /** Fails when it does not take the configuration that it shall have. */
  readonly broken: Deferred.Deferred<never, BidiError>
  /** What the provider kept, where the connection was resumed on its side. */
  readonly kept: KnownByProvider | undefined
  /** Whether it has shown that it knows what it was told of the talk so far: nothing, or it has answered since. */
  knows: boolean
}

/** By which a connection can be resumed, and what the provider knew then. */
interface Handle {
  readonly value: string
  readonly kept: KnownByProvider
}

// How long a provider is given that asks for patience, if nothing else is said.
const MAX_RETRY_AFTER = Duration.minutes(1)

/** How long to wait because the provider asked for it: up to what the application allows. */
export const retryAfter = ({ reason }: BidiError, most: Duration.Input = MAX_RETRY_AFTER): Duration.Duration =>
  reason._tag === "RateLimited" && reason.retryAfter !== undefined
    ? Duration.min(reason.retryAfter, Duration.fromInputUnsafe(most))
    : Duration.zero

type Dialing = (configuration: Profile) => Effect.Effect<Dialed, BidiError>

export type Dialer = ReturnType<typeof makeDialer>

export const makeDialer = (
  { history, model, now, turn, untold }: Services,
  scope: Scope.Scope,
  configured: ConfigurationState,
  timeout: Duration.Input
) => {
  let handle: Handle | undefined

  const lost = (message: string, code?: string) =>
    new BidiError({
      reason: new ConnectionLost({ message, ...(code === undefined ? {} : { code }) }),
      provider: model.provider
    })

  /** Waits for the provider, but not for ever: a connection that does not get on is lost. */
  const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, what: string, code?: string) =>
    Effect.timeoutOrElse(effect, {
      duration: timeout,
      orElse: () => Effect.fail(lost(`${what} within ${Duration.format(Duration.fromInputUnsafe(timeout))}`, code))
    })

  const hangUp = (dialed: Pick<Dialed, "scope">) => bounded("a connection", Scope.close(dialed.scope, Exit.void))

  // Whoever is interrupted while the provider answers leaves nothing behind; once it has answered, nobody is.
  const dialWith = Effect.fnUntraced(function* (configuration: Profile, resume: Handle | undefined) {
    const child = yield* Scope.fork(scope)
    const connection = yield* inTime(
      Scope.provide(model.connect({ ...configuration, resume: resume?.value }), child),
      "no answer"
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

  // A change that no connection can be had with is refused; then the next one is as before. One that was given up on the
  // way, or made, is not what was dialed for.
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

  /** Opens a connection that knows nothing. */
  const dial = asWanted((configuration) => dialWith(configuration, undefined))

  /** Opens a connection for the change that is on its way. If that is refused, whoever waits is told by the change. */
  const dialChange = Effect.suspend(() => {
    const { pending, wanted } = configured
    return Effect.catch(dialWith(wanted, undefined), (error) =>
      pending !== undefined && configured.failed(pending, error)
        ? Effect.interruptible(Effect.never)
        : Effect.fail(error)
    )
  })

  /** Opens a connection by the last handle, once: what that does not cure, a connection that knows nothing does. */
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
          Effect.logDebug("the connection cannot be resumed", error.message).pipe(
            Effect.andThen(fresh),
            // it may not have been the fault of the handle
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
    /** The connection can be resumed by this handle from now on, or not. */
    resumable: (value: string | undefined): void => {
      // what nobody has answered may have been on its way when the provider gave the handle
      const known = history.transcript().flatMap(({ id }) => (turn.unanswered.has(id) ? [] : id))
      handle = value === undefined ? undefined : { value, kept: { ids: new Set(known), calls: new Set(untold) } }
    }
  }
}
