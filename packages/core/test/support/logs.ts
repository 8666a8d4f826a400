import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

export interface Line {
  readonly level: string
  readonly message: string
}

/** Runs an effect and answers what it logged, from the finest level on, and its value. */
export const catching = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [Array<Line>, A], E, R> =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      const words = Array.isArray(message) ? message.map(String).join(" ") : String(message)
      lines.push({ level: logLevel, message: `${words} ${Cause.pretty(cause)}` })
    })
    return effect.pipe(
      Effect.map((value) => [lines, value] as const),
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, "All")
    )
  })
