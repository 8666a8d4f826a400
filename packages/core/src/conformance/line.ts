/**
 * One connection of an adapter, with everything it reported so far.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { BidiError } from "../BidiError.ts"
import { BidiModel, type Connection, type ModelEvent, type Setup } from "../BidiModel.ts"
import type { Transcript } from "../Transcript.ts"
import { speech } from "./voice.ts"
import * as Watch from "./watch.ts"

export interface Line extends Pick<Watch.Watch<ModelEvent>, "events" | "all" | "until"> {
  readonly model: BidiModel["Service"]
  readonly connection: Connection
  /** Waits for the end of the connection. */
  readonly end: Effect.Effect<BidiError>
  /** A loud second, and then silence until a turn has certainly ended. */
  readonly speak: Effect.Effect<void>
}

export const check = (holds: boolean, what: string): Effect.Effect<void> =>
  holds ? Effect.void : Effect.die(new Error(what))

/** The error of something that has to fail. */
export const failing = <R>(
  what: string,
  effect: Effect.Effect<unknown, BidiError, R>
): Effect.Effect<BidiError, never, R> =>
  Effect.matchEffect(effect, {
    onSuccess: () => Effect.die(new Error(`${what} did not fail`)),
    onFailure: Effect.succeed
  })

/** Connects, seeds, and listens. */
export const connect = Effect.fnUntraced(function* (setup: Partial<Setup> = {}, history: Transcript = []) {
  const model = yield* BidiModel
  const connection = yield* model.connect({ instructions: undefined, tools: [], resume: undefined, ...setup })
  yield* connection.seed(history)
  const { add, all, changed, events, until, waitFor } = yield* Watch.make<ModelEvent>()
  let ended: BidiError | undefined

  yield* connection
    .listen((event) => void add(event))
    .pipe(
      Effect.catch((error) => Effect.sync(() => void (ended = error))),
      Effect.ensuring(Effect.sync(changed)),
      Effect.forkScoped({ startImmediately: true })
    )
  return {
    model,
    connection,
    events,
    all,
    until,
    end: waitFor("the end", () => ended),
    // a connection that does not take a frame now takes it soon, or has ended
    speak: Stream.runForEach(speech(model.input), (frame) =>
      Effect.sync(() => ended !== undefined || connection.sendAudio(frame)).pipe(
        Effect.repeat({ until: (taken) => taken, schedule: Schedule.spaced("5 millis") }),
        Effect.asVoid
      )
    )
  } satisfies Line
})

/** Text of all deltas of the agent that are not planned only. */
export const spoken = (line: Line): string =>
  line
    .all("TranscriptDelta")
    .filter((event) => event.role === "assistant" && event.preview !== true)
    .map((event) => event.delta)
    .join("")
