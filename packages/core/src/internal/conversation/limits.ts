/**
 * Enforces how long a conversation may last, and how long it may be idle.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CloseReason } from "../../BidiEvent.ts"
import type { ConversationLimits } from "../../ConversationOptions.ts"
import type { Services } from "./services.ts"

const millis = (duration: Duration.Input | undefined): number =>
  duration === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(duration))

export const enforce = (
  { fanout, now, turn }: Services,
  limits: ConversationLimits,
  stop: (reason: CloseReason) => Effect.Effect<void>
): Effect.Effect<void> => {
  const userIdle = millis(limits.userIdle)
  const maxIdle = millis(limits.maxIdle)
  const maxDuration = millis(limits.maxDuration)

  const inIdleness = Effect.gen(function* () {
    const since = now()
    let nth = 1
    while (true) {
      const due = Math.min(nth * userIdle, maxIdle)
      const left = due - (now() - since)
      // a timer may be early by a fraction of a millisecond
      if (left > 0) yield* Effect.sleep(left)
      else if (due === maxIdle) return yield* stop("timeout")
      else {
        fanout.emit({ _tag: "UserIdle", idle: Duration.millis(now() - since) })
        nth++
      }
    }
  })

  const idle =
    Math.min(userIdle, maxIdle) === Infinity
      ? Effect.never
      : turn.awaitIdle.pipe(Effect.andThen(Effect.raceFirst(inIdleness, turn.awaitActivity)), Effect.forever)

  const duration = maxDuration === Infinity ? Effect.never : Effect.andThen(Effect.sleep(maxDuration), stop("timeout"))

  return Effect.raceFirst(idle, duration)
}
