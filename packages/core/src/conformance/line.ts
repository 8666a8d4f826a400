/**
 * One connection of an adapter, with everything it reported so far.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.ts"
import type { BidiError } from "../BidiError.ts"
import { BidiModel, type Connection, type ModelEvent, type Setup } from "../BidiModel.ts"
import type { Transcript } from "../Transcript.ts"

export type EventOf<Tag extends ModelEvent["_tag"]> = Extract<ModelEvent, { readonly _tag: Tag }>

export interface Line {
  readonly model: BidiModel["Service"]
  readonly connection: Connection
  readonly events: () => ReadonlyArray<ModelEvent>
  readonly all: <Tag extends ModelEvent["_tag"]>(tag: Tag) => ReadonlyArray<EventOf<Tag>>
  /** Waits for the n-th event of a kind, counted from 1. */
  readonly until: <Tag extends ModelEvent["_tag"]>(tag: Tag, times?: number) => Effect.Effect<EventOf<Tag>>
  /** Waits for the end of the connection. */
  readonly end: Effect.Effect<BidiError>
  /** A loud second, and then silence until a turn has certainly ended; in real time. */
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

const PATIENCE = "20 seconds"

/** Connects, seeds, and listens. */
export const connect = Effect.fnUntraced(function* (setup: Partial<Setup> = {}, history: Transcript = []) {
  const model = yield* BidiModel
  const connection = yield* model.connect({ system: undefined, tools: [], resume: undefined, ...setup })
  yield* connection.seed(history)
  const events: Array<ModelEvent> = []
  const changed = yield* Latch.make()
  let ended: BidiError | undefined

  const changes = Effect.sync(() => changed.openUnsafe())
  yield* connection.events.pipe(
    Stream.runForEach((event) =>
      Effect.andThen(
        Effect.sync(() => events.push(event)),
        changes
      )
    ),
    Effect.catch((error) => Effect.sync(() => void (ended = error))),
    Effect.ensuring(changes),
    Effect.forkScoped({ startImmediately: true })
  )

  const waitFor = <A>(what: string, find: () => A | undefined): Effect.Effect<A> =>
    Effect.gen(function* () {
      while (true) {
        changed.closeUnsafe()
        const found = find()
        if (found !== undefined) return found
        yield* changed.await
      }
    }).pipe(
      Effect.timeoutOrElse({
        duration: PATIENCE,
        orElse: () => Effect.die(new Error(`waited for ${what} in vain; there were ${events.map((e) => e._tag)}`))
      })
    )

  const all = <Tag extends ModelEvent["_tag"]>(tag: Tag) =>
    events.filter((event): event is EventOf<Tag> => event._tag === tag)

  return {
    model,
    connection,
    events: () => events,
    all,
    until: (tag, times = 1) => waitFor(`${tag} (${times})`, () => all(tag)[times - 1]),
    end: waitFor("the end", () => ended),
    speak: sound(model.input, connection)
  } satisfies Line
})

const FRAME = "20 millis"
const LOUD = 50
const SILENT = 120

const sound = (format: Audio.AudioFormat, connection: Connection) =>
  Effect.gen(function* () {
    const size = Audio.bytes(format, FRAME)
    const loud = new Uint8Array(size)
    for (let i = 0; i + 1 < size; i += 2) loud[i + 1] = i % 24 < 12 ? 0x30 : 0xd0
    const silent = Audio.silence(format, FRAME)
    for (let i = 0; i < LOUD + SILENT; i++) {
      connection.sendAudio(i < LOUD ? loud : silent)
      yield* Effect.sleep(FRAME)
    }
  })

/** Text of all deltas of the agent that are not planned only. */
export const spoken = (line: Line): string =>
  line
    .all("TranscriptDelta")
    .filter((event) => event.role === "assistant" && event.preview !== true)
    .map((event) => event.delta)
    .join("")
