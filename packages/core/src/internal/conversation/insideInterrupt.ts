/**
 * An interruption that comes from inside a part (a queue that was shut down, a fiber that was interrupted) is that part's
 * own, never that of whoever runs the part.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { BidiError, ConnectionLost, Interrupted } from "../../BidiError.ts"
import type { BidiModel, Connection, Setup } from "../../BidiModel.ts"

export const interruptedInside = (part: string): BidiError =>
  new BidiError({ reason: new Interrupted({ message: `${part} was interrupted from within`, part }) })

/**
 * Whoever is interrupted from outside does not come to handle it; what is handled here comes from inside.
 */
export const onInsideInterrupt = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  then: () => Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> => Effect.catchCauseIf(effect, Cause.hasInterruptsOnly, then)

/** Fails with `Interrupted` instead. */
export const withinPart = <A, E, R>(part: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  // the error of a part is known to whoever opened it, as the union of all of them and ours
  onInsideInterrupt(effect, () => Effect.fail(interruptedInside(part))) as Effect.Effect<A, E, R>

/** A model whose interruptions from inside are the loss of a connection. */
export const withConnectionLost = (model: BidiModel["Service"]): BidiModel["Service"] => {
  const orLost = <A, R>(doing: string, effect: Effect.Effect<A, BidiError, R>) =>
    onInsideInterrupt(effect, () => {
      const message = `${doing} was interrupted from within`
      return Effect.fail(new BidiError({ reason: new ConnectionLost({ message }), provider: model.provider }))
    })
  const connection = (connection: Connection): Connection => ({
    id: connection.id,
    expiresAt: connection.expiresAt,
    seed: (history) => orLost("telling the history", connection.seed(history)),
    send: (command) => orLost("sending", connection.send(command)),
    sendAudio: connection.sendAudio.bind(connection),
    listen: (take) => orLost("listening", connection.listen(take))
  })
  return {
    ...model,
    connect: (setup: Setup) => Effect.map(orLost("connecting", model.connect(setup)), connection)
  }
}
