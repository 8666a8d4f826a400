/**
 * Interruptions that come from inside a part of a conversation, such as a queue that was shut down. They are the failure or
 * the end of that part, and must not look like an interruption of its caller.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { BidiError, ConnectionLost, Interrupted } from "../../BidiError.ts"
import type { BidiModel, Connection, Setup } from "../../BidiModel.ts"

export const interruptedInside = (part: string): BidiError =>
  new BidiError({ reason: new Interrupted({ message: `${part} was interrupted from within`, part }) })

/** Handles an interruption from inside. After one from outside, the handler does not run. */
export const onInsideInterrupt = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  then: () => Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> => Effect.catchCauseIf(effect, Cause.hasInterruptsOnly, then)

/** Turns an interruption from inside into `Interrupted`. */
export const withinPart = <A, E, R>(part: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  // the caller knows the error of a part as the union of all of them and `BidiError`
  onInsideInterrupt(effect, () => Effect.fail(interruptedInside(part))) as Effect.Effect<A, E, R>

/** A model whose interruptions from inside are the loss of its connection. */
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
