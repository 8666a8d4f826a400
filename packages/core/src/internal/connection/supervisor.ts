/**
 * Supervises the connection: opens it, replaces it before its limit or after a loss, and gives up when that is hopeless.
 * Nothing else reconnects.
 */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { BidiError } from "../../BidiError.ts"
import { type ConnectionRestart, fromError } from "../../BidiEvent.ts"
import type { Command, Profile, Connection, ModelEvent } from "../../BidiModel.ts"
import type { Consume } from "../../adapter/Inbox.ts"
import type { ConnectionOptions } from "../../ConversationOptions.ts"
import * as Changes from "./changes.ts"
import { ConfigurationState } from "./configuration.ts"
import { type Dialed, makeDialer } from "./dial.ts"
import { NOT_CONFIRMED } from "./outbox.ts"
import { isTooLarge, OversizedMessages } from "./oversized.ts"
import type { Interrupter } from "../turns/interruption.ts"
import type { Receiver } from "../turns/receiver.ts"
import * as Retry from "./retry.ts"
import * as Renewals from "./renewal.ts"
import { resumption } from "./resumption.ts"
import type { Services } from "../conversation/services.ts"
import * as Successor from "./successor.ts"

const NO_GENERATION = 0 // no connection has this generation
const CLOSE_REASON_WAIT = "1 second" // how long the reader has to report the reason after a send has failed

export interface Supervisor {
  /** Opens the first connection, without retrying: nothing has begun yet. */
  readonly open: Effect.Effect<void, BidiError>
  /** Keeps a connection open. Ends only by failing. */
  readonly keep: Effect.Effect<never, BidiError>
  /**
   * Changes the profile. `onConfirmed` is called at the moment at which the provider has confirmed it. Until then nothing has
   * changed: a refusal fails, and interruption withdraws the change.
   */
  readonly configure: (to: Profile, onConfirmed: () => void) => Effect.Effect<void, BidiError>
  /** The provider's id of the last connection. */
  readonly connectionId: () => string
}

export const make = Effect.fnUntraced(function* (
  services: Services,
  receiver: Receiver,
  { between }: Interrupter,
  initial: Profile,
  options: ConnectionOptions
) {
  const { fanout, metrics, generation, history, journal, model, now, outbox, turn, transcriber } = services
  // Forked from the scope of the conversation, because connections may close after the supervising fiber has ended.
  const scope = yield* Scope.fork(yield* Effect.scope)
  const configured = new ConfigurationState(initial, turn.changed)
  const phone = makeDialer(services, scope, configured, options.timeout ?? "10 seconds")
  const { hangUp, inTime, lost, redial, resumable } = phone
  const successor = Successor.make(services, scope, configured, phone, options)
  const changes = Changes.make(services, configured, () => current, lost, options.reconnect !== false)
  const oversized = new OversizedMessages(services)

  let current: Dialed

  // Makes this the connection of the conversation.
  const adopt = Effect.fnUntraced(
    function* (dialed: Dialed, seamless: boolean) {
      const { connection } = dialed
      const {
        dropped,
        history: told,
        resend,
        shortened
      } = yield* between(() => {
        current = dialed
        generation.current++
        return resumption({
          transcript: history.transcript(),
          first: generation.current === 1,
          waiting: journal.restored.approvals,
          owed: outbox.inTurn() ? undefined : turn.owed,
          asked: turn.unanswered.ids,
          unheeded: turn.unheardMessages,
          heardAgain: outbox.audio.unanswered,
          kept: dialed.kept,
          limit: model.limits.history
        })
      })
      oversized.told(told)
      dialed.knows = told.length === 0
      configured.adopting(dialed.configuration)
      yield* inTime(connection.seed(told), "the provider did not accept the history")
      for (const command of resend) askAgain(command)
      if (model.capabilities.midSessionUpdate && dialed.configuration !== configured.current)
        changes.bringUpToDate(dialed)
      turn.connected()
      yield* Effect.logDebug(`connection ${generation.current} is ready (${connection.id})`)
      const end = Renewals.endOf(-8.64e15, connection.expiresAt) // the first date there is
      fanout.emit({
        _tag: "ConnectionStart",
        connectionId: connection.id,
        model: model.model,
        generation: generation.current,
        ...(end === undefined || end > 8.64e15 ? {} : { expiresAt: DateTime.makeUnsafe(end) })
      })
      journal.write({
        _tag: "Connection",
        id: connection.id,
        provider: model.provider,
        model: model.model,
        generation: generation.current
      })
      if (dropped + shortened > 0)
        fanout.emit({ _tag: "HistoryTrimmed", entries: dropped, ...(shortened > 0 ? { shortened } : {}) })
      metrics.connected(seamless)
      configured.adopted(dialed.configuration)
      turn.changed()
    },
    (effect, dialed) =>
      Effect.onError(effect, () => {
        configured.notAdopted(dialed.configuration)
        return Effect.forkIn(hangUp(dialed), scope)
      })
  )

  // Bound to this connection: the next one makes its own requests. A request that an interruption has discarded meanwhile is
  // dropped.
  const askAgain = (command: Command) => {
    const own = generation.current
    const { discards: forgone } = turn
    const otherwise = (generation: number) =>
      generation === own && (command._tag !== "Respond" || turn.discards === forgone) ? command : undefined
    outbox.prependUnsafe(command, {
      bound: { generation: NO_GENERATION, otherwise },
      onSent: turn.askedAgain,
      onRefused: (error) => {
        if (command._tag === "UserMessage") {
          transcriber.refused(command.id)
          turn.refused(command.id)
        }
        fanout.emit(fromError(error))
      }
    })
  }

  // -------------------------------------------------------------------------------------------------------------------
  // one connection
  // -------------------------------------------------------------------------------------------------------------------

  const live = Effect.fnUntraced(function* (dialed: Dialed) {
    const { connection } = dialed
    const expiring = yield* Deferred.make<Renewals.Due>()

    const onExpiring = (timeLeft: Duration.Duration) =>
      void Deferred.doneUnsafe(
        expiring,
        Exit.succeed({ at: now(), timeLeft: Renewals.span(Duration.toMillis(timeLeft)) })
      )
    const take = taking(receiver, dialed, onExpiring, resumable)
    const read = Effect.andThen(
      connection.listen(take),
      Effect.suspend(() => Effect.fail(lost("the connection ended without a reason")))
    )
    // a send that fails is a symptom; the reader may know the reason
    const drain = Effect.catch(outbox.drain(generation.current, connection, sendingBy(connection)), (error) =>
      Effect.andThen(Effect.sleep(CLOSE_REASON_WAIT), Effect.fail(error))
    )
    const replaced = successor.due(dialed, Deferred.await(expiring))
    return yield* Effect.raceAllFirst([read, drain, Deferred.await(dialed.broken), replaced])
  })

  // A change has to be confirmed, and holds up the commands after it.
  const sendingBy =
    (connection: Connection): Connection["send"] =>
    (command) =>
      command._tag === "Update"
        ? inTime(connection.send(command), "the provider did not confirm the change", NOT_CONFIRMED)
        : connection.send(command)

  // -------------------------------------------------------------------------------------------------------------------
  // one after the other
  // -------------------------------------------------------------------------------------------------------------------

  // An interruption that is in progress is completed before anybody hears of the end of the connection.
  const abandoned = between(() => receiver.abandon())

  const restarting = Effect.fnUntraced(function* (
    reason: ConnectionRestart["reason"],
    turnInterrupted: boolean,
    attempt: number,
    delay: Duration.Duration,
    cause?: BidiError
  ) {
    yield* Effect.logDebug(`connection restart (${reason}, attempt ${attempt})`, ...(cause ? [cause.message] : []))
    fanout.emit({
      _tag: "ConnectionRestart",
      reason,
      turnInterrupted,
      attempt,
      delay,
      ...(cause === undefined ? {} : { cause })
    })
  })

  const renewed = Effect.fnUntraced(function* ({ next }: Successor.Renewal) {
    const old = current
    const { turnInterrupted } = yield* abandoned
    yield* restarting("scheduled", turnInterrupted, 1, Duration.zero)
    if (next === undefined) {
      yield* hangUp(old)
      return yield* adopt(yield* redial, false)
    }
    yield* Effect.ensuring(adopt(next, true), Effect.forkIn(hangUp(old), scope))
  })

  const keep = Effect.gen(function* () {
    const retry = Retry.make(options, now)
    while (true) {
      let failure = yield* Effect.flip(untilLost)
      retry.lived(now() - current.at)
      yield* Effect.forkIn(hangUp(current), scope)
      for (let connected = false; !connected;) {
        if (!mayBeReplaced(failure)) return yield* failure
        if (isTooLarge(failure)) oversized.blame(failure)
        // asked before anything is announced: there may be no next attempt
        const { attempt, delay } = yield* retry.next(failure)
        const { turnInterrupted } = yield* abandoned
        yield* restarting(restartReason(failure), turnInterrupted, attempt, delay, failure)
        yield* Effect.sleep(delay)
        const adopted = yield* Effect.result(Effect.flatMap(replacement, (dialed) => adopt(dialed, false)))
        if (Result.isFailure(adopted)) failure = adopted.failure
        else connected = true
      }
    }
  })

  const mayBeReplaced = (failure: BidiError): boolean =>
    failure.isRetryable &&
    options.reconnect !== false &&
    !(options.renew === false && failure.reason._tag === "SessionExpired")

  const untilLost = Effect.forever(
    Effect.flatMap(
      Effect.suspend(() => live(current)),
      renewed
    )
  )

  const replacement = Effect.flatMap(successor.take, (next) => (next === undefined ? redial : Effect.succeed(next)))

  return {
    open: Effect.flatMap(redial, (dialed) => adopt(dialed, false)),
    keep,
    configure: changes.configure,
    connectionId: () => current?.connection.id ?? ""
  } satisfies Supervisor
})

// A function of its own, so that what it needs for every frame is in one closure.
const taking =
  (
    receiver: Receiver,
    dialed: Dialed,
    onExpiring: (timeLeft: Duration.Duration) => void,
    onHandle: (handle: string | undefined) => void
  ): Consume<ModelEvent> =>
  (event) => {
    if (event._tag === "ResponseStarted") dialed.knows = true
    else if (event._tag === "Expiring") onExpiring(event.timeLeft)
    // a handle from before the history arrived would resume a session without it
    else if (event._tag === "Resumable") onHandle(dialed.knows ? event.handle : undefined)
    return receiver.receive(event)
  }

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
