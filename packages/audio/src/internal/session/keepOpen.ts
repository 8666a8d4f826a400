/**
 * Keeps a device open: when it is lost, it is opened again, as the schedule says.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { AudioError } from "../../AudioError.ts"

// A device that worked for this long resets the schedule.
const SETTLED_MILLIS = 5000

interface Device {
  readonly done: Effect.Effect<void, AudioError>
}

/**
 * Opens a device, and opens it again whenever it is lost. Succeeds when the device ends (a file). Fails when the first attempt
 * fails, or when the schedule is exhausted.
 */
export const keepOpen = Effect.fnUntraced(function* <D extends Device>(options: {
  readonly open: Effect.Effect<D, AudioError, Scope.Scope>
  readonly schedule: Schedule.Schedule<unknown, AudioError>
  readonly onOpen: (device: D, again: boolean) => Effect.Effect<void>
  /** Called before the device is closed, so that it can still be asked for its position. */
  readonly onLost: (error: AudioError, device: D) => Effect.Effect<void>
}) {
  const { onLost, onOpen, open, schedule } = options
  const clock = yield* Clock.Clock
  let again = false
  let openedAt: number | undefined

  /** Uses the device until it ends or is lost. */
  const attempt = Effect.gen(function* () {
    openedAt = undefined
    const device = yield* open
    openedAt = clock.currentTimeMillisUnsafe()
    const reopened = again
    again = true
    yield* onOpen(device, reopened)
    yield* Effect.tapError(device.done, (error) => onLost(error, device))
  }).pipe(Effect.scoped, Effect.exit)

  const settled = () => openedAt !== undefined && clock.currentTimeMillisUnsafe() - openedAt >= SETTLED_MILLIS

  let exit = yield* attempt
  if (!again) return yield* exit
  while (true) {
    const step = yield* Schedule.toStepWithSleep(schedule)
    do {
      const error = Exit.findErrorOption(exit)
      if (Option.isNone(error)) return yield* exit
      const exhausted = yield* step(error.value).pipe(
        Effect.as(false),
        Pull.catchDone(() => Effect.succeed(true))
      )
      if (exhausted) return yield* error.value
      exit = yield* attempt
    } while (!settled())
  }
})
