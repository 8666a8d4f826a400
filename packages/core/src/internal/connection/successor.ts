/**
 * The next connection, prepared while the current one still works: when it takes over, and how it is opened by then. A next
 * connection that cannot be opened does not harm the conversation.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { fromError } from "../../BidiEvent.ts"
import type { ConfigurationState } from "./configuration.ts"
import type { ConnectionOptions } from "../../ConversationOptions.ts"
import { retryAfter, type Dialed, type Dialer } from "./dial.ts"
import * as Renewals from "./renewal.ts"
import type { Services } from "../conversation/services.ts"

/** The connection should be replaced, by `next` if that is open already. */
export interface Renewal {
  readonly next: Dialed | undefined
}

export interface Successor {
  /** Waits until the connection should be replaced. `expiring` is the provider's own warning. */
  readonly due: (dialed: Dialed, expiring: Effect.Effect<Renewals.Due>) => Effect.Effect<Renewal>
  /** The next connection, if one is open and has the right profile. */
  readonly take: Effect.Effect<Dialed | undefined>
}

const STANDBY_RETRY = Duration.seconds(5)
const SETTLING_YIELDS = 16 // lets the reader deliver what arrives just after a turn, such as its usage

export const make = (
  { fanout, model, now, turn, transcriber }: Services,
  scope: Scope.Scope,
  configured: ConfigurationState,
  { dial, dialChange, hangUp }: Dialer,
  options: Pick<ConnectionOptions, "maxRetryAfter" | "reconnect" | "renew">
): Successor => {
  const renew = typeof options.renew === "object" ? options.renew : {}
  const renews = options.renew !== false && options.reconnect !== false
  let standby: Dialed | undefined
  let hasty = 0 // early renewals in a row

  const isCurrent = (dialed: Dialed | undefined) =>
    model.capabilities.midSessionUpdate || dialed?.configuration === configured.wanted

  // A change that needs a new connection happens as soon as nobody speaks. Tools may run: their results go to the new
  // connection.
  const outdated = Effect.fnUntraced(function* (dialed: Dialed) {
    if (model.capabilities.midSessionUpdate) return yield* Effect.never
    while (true) {
      yield* turn.until(() => !isCurrent(dialed))
      const ready = replacing(dialChange, Effect.timeoutOption(free, renew.wait ?? Renewals.TURN_WAIT))
      // refused or withdrawn
      const noMore = turn.until(() => isCurrent(dialed))
      const renewal = yield* Effect.raceFirst(ready, noMore)
      if (renewal !== undefined && !isCurrent(dialed)) return renewal
      yield* dropOutdated
    }
  })

  const renewal = Effect.fnUntraced(function* (dialed: Dialed, expiring: Effect.Effect<Renewals.Due>) {
    if (!renews) return yield* lastWarning(dialed, expiring)
    const since = now()
    const due = Renewals.due(model.limits, dialed.at, dialed.connection.expiresAt, renew.after)
    const { asked, at, born, timeLeft } = yield* Effect.raceFirst(
      // one that stood by may have warned long ago, and is heard only now
      Effect.map(expiring, (warned) => ({ ...warned, born: since, asked: false })),
      due === undefined
        ? Effect.never
        : Effect.as(Effect.sleep(Math.max(0, due.at - now())), {
            ...due,
            born: dialed.at,
            asked: renew.after !== undefined
          })
    )
    const isHasty = Renewals.isHasty(at - born, asked)
    const tooYoung = isHasty ? Renewals.minAge(hasty) - (now() - born) : 0
    hasty = isHasty ? hasty + 1 : 0
    yield* warn(timeLeft, tooYoung)
    if (tooYoung > 0) yield* Effect.sleep(tooYoung)
    const rest = Renewals.span(at + Duration.toMillis(timeLeft) - now())
    return yield* replacing(dial, Effect.timeoutOption(boundary, Renewals.turnWait(rest, renew.wait)))
  })

  // Nothing can be done about the end, but everybody hears of one that is known.
  const lastWarning = Effect.fnUntraced(function* (dialed: Dialed, expiring: Effect.Effect<Renewals.Due>) {
    const { renewAfter: _, ...limits } = model.limits
    const due = Renewals.due(limits, dialed.at, dialed.connection.expiresAt, undefined)
    const ahead = due === undefined ? Effect.never : Effect.as(Effect.sleep(Math.max(0, due.at - now())), due)
    const { timeLeft } = yield* Effect.raceFirst(expiring, ahead)
    fanout.emit({ _tag: "ConnectionWarning", timeLeft })
    return yield* Effect.never
  })

  const warn = Effect.fnUntraced(function* (timeLeft: Duration.Duration, tooYoung: number) {
    const ends = `the connection ends in ${Duration.format(timeLeft)}`
    if (tooYoung <= 0) {
      fanout.emit({ _tag: "ConnectionWarning", timeLeft })
      return yield* Effect.logDebug(`${ends}, renewing it`)
    }
    const message = `${ends} although it has only just begun; renewing it in ${Duration.format(Renewals.span(tooYoung))}, and later each time this happens`
    fanout.emit({ _tag: "ConnectionWarning", timeLeft, message })
    yield* Effect.logWarning(message)
  })

  const lastLook = Effect.repeat(Effect.yieldNow, { times: SETTLING_YIELDS })
  const free = turn.awaitFloor.pipe(Effect.andThen(lastLook), Effect.andThen(turn.awaitFloor))

  // Between two turns, with no transcript outstanding that the next connection should have.
  const between = () => turn.atRest && transcriber.expected.millisLeft() === 0
  const boundary: Effect.Effect<void> = turn
    .until(between, () => transcriber.expected.millisLeft() || Infinity)
    .pipe(Effect.andThen(lastLook), Effect.repeat({ until: between }), Effect.asVoid)

  // Opens the next connection first where two may be open, then waits for the moment.
  const replacing = Effect.fnUntraced(function* (dialing: typeof dial, moment: Effect.Effect<unknown>) {
    while (true) {
      if (model.capabilities.overlap) yield* standBy(dialing)
      yield* moment
      if (!model.capabilities.overlap) return { next: undefined } satisfies Renewal
      if (isCurrent(standby)) return { next: takeStandby() } satisfies Renewal
    }
  })

  // The old connection still works: a failure is reported, and tried again until the old one ends.
  const standBy = Effect.fnUntraced(function* (dialing: typeof dial) {
    while (true) {
      const dialed = yield* Effect.result(dialing)
      if (Result.isSuccess(dialed)) {
        const other = takeStandby()
        standby = dialed.success
        if (other !== undefined) yield* Effect.forkIn(hangUp(other), scope)
        return
      }
      const { failure } = dialed
      fanout.emit(fromError(failure))
      yield* Effect.interruptible(
        failure.isRetryable
          ? Effect.sleep(Duration.max(STANDBY_RETRY, retryAfter(failure, options.maxRetryAfter)))
          : Effect.never
      )
    }
  }, Effect.uninterruptible)

  const takeStandby = () => {
    const next = standby
    standby = undefined
    return next
  }

  const dropOutdated = Effect.suspend(() => {
    if (standby === undefined || isCurrent(standby)) return Effect.void
    return Effect.forkIn(hangUp(takeStandby()!), scope)
  })

  return {
    due: (dialed, expiring) => Effect.raceFirst(renewal(dialed, expiring), outdated(dialed)),
    take: Effect.map(dropOutdated, takeStandby)
  }
}
