/**
 * One connection of an adapter, with its events so far.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { BidiError } from "../../BidiError.ts"
import { BidiModel, type Connection, type ModelEvent, type Setup } from "../../BidiModel.ts"
import type { Transcript } from "../../Transcript.ts"
import { speech } from "./speech.ts"
import * as EventLog from "./eventLog.ts"

export interface TestConnection extends Pick<EventLog.EventLog<ModelEvent>, "events" | "all" | "until"> {
  readonly model: BidiModel["Service"]
  readonly connection: Connection
  /** Waits for the end of the connection. */
  readonly end: Effect.Effect<BidiError>
  /** The user speaks for a second, and is silent until the turn has certainly ended. */
  readonly speak: Effect.Effect<void>
}

/** Connects, seeds, and listens. */
export const connect = Effect.fnUntraced(function* (setup: Partial<Setup> = {}, history: Transcript = []) {
  const model = yield* BidiModel
  const connection = yield* model.connect({ instructions: undefined, tools: [], resume: undefined, ...setup })
  yield* connection.seed(history)
  const { add, all, changed, events, until, waitFor } = EventLog.make<ModelEvent>()
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
    // a frame that is not taken now is taken soon, or the connection has ended
    speak: Stream.runForEach(speech(model.input), (frame) =>
      Effect.sync(() => ended !== undefined || connection.sendAudio(frame)).pipe(
        Effect.repeat({ until: (taken) => taken, schedule: Schedule.spaced("5 millis") }),
        Effect.asVoid
      )
    )
  } satisfies TestConnection
})

/** The text of all deltas of the agent but previews. */
export const spoken = (connection: TestConnection): string =>
  connection
    .all("TranscriptDelta")
    .filter((event) => event.role === "assistant" && event.preview !== true)
    .map((event) => event.delta)
    .join("")
