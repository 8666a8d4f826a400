/**
 * Keeps one connection alive: opens it, replaces it before its limit or after its loss, and gives up when that is
 * hopeless. The only room that reconnects.
 */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { BidiError } from "../BidiError.ts"
import { type ConnectionRestart, fromError } from "../BidiEvent.ts"
import type { Command, Configuration, ModelEvent } from "../BidiModel.ts"
import type { Take } from "../Inbox.ts"
import { Configured } from "./configured.ts"
import type { Offer } from "./outbox.ts"
import { type Dialed, dialing } from "./dialing.ts"
import type { Receiver } from "./receive.ts"
import * as Renewals from "./renewal.ts"
import { resumption } from "./resumption.ts"
import type { Rooms } from "./rooms.ts"
import type { Owed } from "./turn.ts"

/**
 * How a conversation treats its connections.
 */
export interface ConnectionOptions {
  /** How long a connection may take until it is ready. Default: 10 seconds. */
  readonly timeout?: Duration.Input
  /**
   * When to connect again after a loss; the first try after a mere loss comes at once. When the schedule is done the
   * conversation fails with the last error. A connection that lived for 10 seconds starts the schedule anew. Default:
   * 0.5 to 8 seconds, doubling, with jitter, 5 times.
   */
  readonly retry?: Schedule.Schedule<unknown, BidiError>
  /**
   * Replace a connection before the provider's limit. `after` is its age then (default: the provider's own), `wait` how
   * long to wait for a turn boundary (default: 10 seconds). `false`: the limit fails the conversation with
   * `SessionExpired`.
   */
  readonly renew?: boolean | { readonly after?: Duration.Input; readonly wait?: Duration.Input }
}

/** The connection should be replaced, by `next` where that is open already. */
interface Renewal {
  readonly next: Dialed | undefined
}

const SETTLED = 10_000
const LAST_WORDS = "1 second" // for the reader to say why, after a send has failed
const LAST_LOOK = 16 // steps aside for the reader, which may be on its way with more: usage is told after a turn's end

const defaultRetry = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("8 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 5 })
)

export interface Keeper {
  /** Opens the first connection. It is not tried twice: nothing has begun yet. */
  readonly open: Effect.Effect<void, BidiError>
  /** Keeps it alive. Ends only by failing. */
  readonly keep: Effect.Effect<never, BidiError>
  /** Changes the configuration, and waits until the connection has it. */
  readonly configure: (to: Configuration) => Effect.Effect<void, BidiError>
  /** The provider's id of the last connection. */
  readonly connectionId: () => string
}

export const make = Effect.fnUntraced(function* (
  rooms: Rooms,
  receiver: Receiver,
  initial: Configuration,
  options: ConnectionOptions
) {
  const { fanout, gaps, generation, memory, model, now, outbox, turn, words } = rooms
  // Opened before the fiber that keeps a connection: that fiber does not live to see its connections close.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const configured = new Configured(initial)
  const { dial, hangUp, lost, redial, resumable } = dialing(rooms, scope, configured, options.timeout ?? "10 seconds")
  const renew = typeof options.renew === "object" ? options.renew : {}

  let current: Dialed
  let standby: Dialed | undefined
  let inEffect = 0 // the version of the configuration that is talked with

  // From here on this is the connection of the conversation; no other reaches it any more.
  const adopt = Effect.fnUntraced(function* (dialed: Dialed, owed: Owed | undefined, seamless = false) {
    const { connection } = dialed
    current = dialed
    generation.current++
    const { history, resend, trimmed } = resumption({
      transcript: memory.transcript(),
      first: generation.current === 1,
      owed: outbox.inTurn() ? undefined : owed,
      kept: dialed.kept,
      limit: model.limits.history
    })
    yield* connection.seed(history)
    // the next connection, if this one does not live to take them, will make its own
    const bound = { generation: generation.current }
    for (const command of resend) outbox.prependUnsafe(command, { bound, onSent: turn.awaitReply })
    if (dialed.version !== configured.version && model.capabilities.midSessionUpdate) {
      outbox.prependUnsafe(...bringUp(dialed))
    }
    turn.noReply()
    yield* Effect.logDebug(`connection ${generation.current} is ready (${connection.id})`)
    fanout.emit({
      _tag: "ConnectionStart",
      connectionId: connection.id,
      model: model.model,
      generation: generation.current,
      ...(connection.expiresAt === undefined ? {} : { expiresAt: DateTime.makeUnsafe(connection.expiresAt) })
    })
    if (trimmed > 0) fanout.emit({ _tag: "HistoryTrimmed", entries: trimmed })
    gaps.connected(seamless)
    inEffect = dialed.version
    turn.changed()
  })

  // -------------------------------------------------------------------------------------------------------------------
  // one connection
  // -------------------------------------------------------------------------------------------------------------------

  const live = Effect.fnUntraced(function* (dialed: Dialed) {
    const { connection } = dialed
    const expiring = yield* Deferred.make<Duration.Duration>()

    const onExpiring = (timeLeft: Duration.Duration) => void Deferred.doneUnsafe(expiring, Exit.succeed(timeLeft))
    const take = taking(receiver, onExpiring, resumable)
    const read = Effect.andThen(
      connection.listen(take),
      Effect.suspend(() => Effect.fail(lost("the connection ended without a reason")))
    )
    // a send that fails is a symptom: the reader knows the reason, if there is one
    const drain = Effect.catch(outbox.drain(generation.current, connection), (error) =>
      Effect.andThen(Effect.sleep(LAST_WORDS), Effect.fail(error))
    )
    return yield* Effect.raceAllFirst([read, drain, renewal(dialed, expiring), outdated(dialed)])
  })

  // A connection is given the configuration of now, if that is possible while it is open.
  const bringUp = (dialed: Dialed): readonly [Command, Offer] => {
    const { current, version } = configured
    return [
      { _tag: "Update", ...current },
      {
        bound: { generation: generation.current },
        onSent: () => {
          dialed.version = inEffect = version
          turn.changed()
        }
      }
    ]
  }

  // Where it is not, it is replaced as soon as nobody speaks. Tools may run: they will be answered on the next one.
  const outdated = Effect.fnUntraced(function* (dialed: Dialed) {
    if (model.capabilities.midSessionUpdate) return yield* Effect.never
    yield* turn.until(() => dialed.version !== configured.version)
    if (model.capabilities.overlap) yield* standBy
    yield* Effect.timeoutOption(turn.free, renew.wait ?? Renewals.PATIENCE)
    return { next: takeStandby() } satisfies Renewal
  })

  const configure = Effect.fnUntraced(function* (to: Configuration) {
    const before = configured.current
    configured.change(to)
    const { version } = configured
    turn.changed()
    if (model.capabilities.midSessionUpdate) {
      yield* Effect.tapError(outbox.offer(...bringUp(current)), () =>
        Effect.sync(() => {
          if (configured.version === version) configured.change(before)
        })
      )
    }
    yield* turn.until(() => inEffect >= version)
  })

  const renewal = Effect.fnUntraced(function* (dialed: Dialed, expiring: Deferred.Deferred<Duration.Duration>) {
    if (options.renew === false) return yield* Effect.never
    const due = Renewals.due(model.limits, dialed.at, dialed.connection.expiresAt, renew.after)
    const timeLeft = yield* Effect.raceFirst(
      Deferred.await(expiring),
      due === undefined ? Effect.never : Effect.as(Effect.sleep(Math.max(0, due.at - now())), due.timeLeft)
    )
    fanout.emit({ _tag: "ConnectionWarning", timeLeft })
    yield* Effect.logDebug(`the connection ends in ${Duration.format(timeLeft)}, renewing it`)
    if (model.capabilities.overlap) yield* standBy
    yield* Effect.timeoutOption(boundary, Renewals.patience(timeLeft, renew.wait))
    return { next: takeStandby() } satisfies Renewal
  })

  // Between two turns, with nothing on its way that the next connection should know.
  const between = () => turn.atRest && !words.missingWords
  const boundary: Effect.Effect<void> = turn
    .until(between)
    .pipe(
      Effect.andThen(Effect.repeat(Effect.yieldNow, { times: LAST_LOOK })),
      Effect.repeat({ until: between }),
      Effect.asVoid
    )

  // The old connection still works: a next one that does not come up is told, and tried again until the old one ends.
  const nextDialed: Effect.Effect<Dialed> = dial.pipe(
    Effect.tapError((error) => Effect.sync(() => fanout.emit(fromError(error)))),
    Effect.retry({ schedule: Schedule.spaced("5 seconds"), while: (error) => error.isRetryable }),
    Effect.catch(() => Effect.never)
  )

  const standBy = Effect.gen(function* () {
    let next = yield* nextDialed
    while (next.version !== configured.version) {
      yield* Effect.forkIn(hangUp(next), scope)
      next = yield* nextDialed
    }
    const other = takeStandby()
    standby = next
    if (other !== undefined) yield* Effect.forkIn(hangUp(other), scope)
  })

  const takeStandby = () => {
    const next = standby
    standby = undefined
    return next
  }

  // -------------------------------------------------------------------------------------------------------------------
  // one after the other
  // -------------------------------------------------------------------------------------------------------------------

  const restarting = Effect.fnUntraced(function* (
    reason: ConnectionRestart["reason"],
    turnInterrupted: boolean,
    attempt: number,
    cause?: BidiError
  ) {
    yield* Effect.logDebug(`connection restart (${reason}, attempt ${attempt})`, ...(cause ? [cause.message] : []))
    fanout.emit({
      _tag: "ConnectionRestart",
      reason,
      turnInterrupted,
      attempt,
      ...(cause === undefined ? {} : { cause })
    })
  })

  const renewed = Effect.fnUntraced(function* ({ next }: Renewal) {
    const old = current
    const { owed, turnInterrupted } = receiver.abandon()
    yield* restarting("scheduled", turnInterrupted, 1)
    if (next === undefined) {
      yield* hangUp(old)
      return yield* adopt(yield* redial, owed)
    }
    yield* Effect.ensuring(adopt(next, owed, true), Effect.forkIn(hangUp(old), scope))
  })

  const keep = Effect.gen(function* () {
    let step = yield* newSchedule
    let attempt = 0
    while (true) {
      let failure = yield* Effect.flip(untilLost)
      if (now() - current.at >= SETTLED) {
        step = yield* newSchedule
        attempt = 0
      }
      yield* Effect.forkIn(hangUp(current), scope)
      for (let connected = false; !connected;) {
        if (!failure.isRetryable || (options.renew === false && failure.reason._tag === "SessionExpired")) {
          return yield* failure
        }
        const { owed, turnInterrupted } = receiver.abandon()
        yield* restarting(restartReason(failure), turnInterrupted, ++attempt, failure)
        if (attempt > 1 || failure.reason.resume === "backoff") yield* backOff(step, failure)
        const adopted = yield* Effect.result(Effect.flatMap(replacement, (dialed) => adopt(dialed, owed)))
        if (Result.isFailure(adopted)) failure = adopted.failure
        else connected = true
      }
    }
  })

  const untilLost = Effect.forever(
    Effect.flatMap(
      Effect.suspend(() => live(current)),
      renewed
    )
  )

  const newSchedule = Effect.suspend(() => Schedule.toStep(options.retry ?? defaultRetry))

  const replacement = Effect.suspend(() => {
    const next = takeStandby()
    return next === undefined ? redial : Effect.succeed(next)
  })

  const backOff = Effect.fnUntraced(function* (step: Step, failure: BidiError) {
    const [, delay] = yield* Pull.catchDone(step(now(), failure), () => Effect.fail(failure))
    const asked = failure.reason._tag === "RateLimited" ? failure.reason.retryAfter : undefined
    yield* Effect.sleep(asked === undefined ? delay : Duration.max(delay, asked))
  })

  return {
    open: Effect.flatMap(dial, (dialed) => adopt(dialed, undefined)),
    keep,
    configure,
    connectionId: () => current?.connection.id ?? ""
  } satisfies Keeper
})

// A function of its own: what it needs for every frame is in one place, not in those of all the functions around it.
const taking =
  (
    receiver: Receiver,
    onExpiring: (timeLeft: Duration.Duration) => void,
    onHandle: (handle: string | undefined) => void
  ): Take<ModelEvent> =>
  (event) => {
    if (event._tag === "Expiring") onExpiring(event.timeLeft)
    else if (event._tag === "Resumable") onHandle(event.handle)
    return receiver.receive(event)
  }

type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, BidiError, never, never>>>

const restartReason = ({ reason }: BidiError): ConnectionRestart["reason"] => {
  switch (reason._tag) {
    case "SessionExpired":
    case "IdleTimeout":
      return "timeout"
    case "RateLimited":
      return "rate_limited"
    case "ServerFault":
      return "fault"
    default:
      return "lost"
  }
}
