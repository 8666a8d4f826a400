/**
 * One connection of the scripted model: the line that the script holds, and the end that the conversation holds.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { takeStream } from "../../adapter/Inbox.ts"
import type { AudioFormat } from "../../Audio.ts"
import { BidiError, ConnectionLost } from "../../BidiError.ts"
import type { Command, Connection, ModelEvent, Setup } from "../../BidiModel.ts"
import type { CommandOf, Line, Logged } from "../../TestModel.ts"
import type { Entry } from "../../Transcript.ts"
import { produce } from "./reply.ts"

// A distributive `Omit`.
type Without<A, K extends string> = A extends unknown ? Omit<A, K> : never

/** What the connections of a model share. */
export interface Shared {
  readonly format: AudioFormat
  /** The number of the last thing that got an id. */
  readonly ids: { last: number }
  readonly record: (entry: Without<Logged, "at" | "generation">) => void
}

export const make = Effect.fnUntraced(function* (generation: number, setup: Setup, { format, ids, record }: Shared) {
  const events = yield* Queue.unbounded<ModelEvent, BidiError>()
  const commands = yield* Queue.unbounded<Command>()
  const frames = yield* Queue.unbounded<Uint8Array>()
  const updates = yield* Queue.unbounded<Deferred.Deferred<void, BidiError>>()
  const ready = yield* Deferred.make<void, BidiError>()
  let history: ReadonlyArray<Entry> = []
  let congested = false
  let rejection: BidiError | undefined
  let holdsUpdates = false

  const accept = Effect.asVoid(Deferred.succeed(ready, undefined))
  const accepted = (change: () => void) => Effect.andThen(accept, Effect.sync(change))
  const emit = (...all: ReadonlyArray<ModelEvent>) => Effect.andThen(accept, Effect.asVoid(Queue.offerAll(events, all)))
  const next = Effect.andThen(accept, Queue.take(commands))

  const unexpected = (expected: string, got: unknown) =>
    Effect.die(new Error(`connection ${generation}: expected ${expected}, got ${JSON.stringify(got)}`))

  const expect = <Tag extends Command["_tag"]>(tag: Tag) =>
    Effect.flatMap(next, (command) =>
      command._tag === tag ? Effect.succeed(command as CommandOf<Tag>) : unexpected(tag, command)
    )

  const line: Line = {
    generation,
    setup,
    history: () => history,
    accept,
    refuse: (error) => Effect.andThen(Deferred.fail(ready, error), Effect.never),
    next,
    expect,
    expectText: (text) =>
      Effect.flatMap(expect("UserMessage"), ({ parts }) =>
        parts.length === 1 && parts[0] === text ? Effect.void : unexpected(JSON.stringify(text), parts)
      ),
    nextAudio: Effect.andThen(accept, Queue.take(frames)),
    emit,
    reply: Effect.fnUntraced(function* (reply) {
      const responseId = reply.responseId ?? `response-${++ids.last}`
      const itemId = reply.itemId ?? `item-${ids.last}`
      const { end, pause, start, steps } = produce(format, reply, { responseId, itemId })
      yield* emit(start)
      for (const step of steps) {
        if (pause !== undefined) yield* Effect.sleep(pause)
        yield* emit(...step)
      }
      yield* emit(...end)
      return responseId
    }),
    callTools: Effect.fnUntraced(function* (...calls) {
      const responseId = `response-${++ids.last}`
      yield* emit(
        { _tag: "ResponseStarted", responseId },
        {
          _tag: "ToolCalls",
          responseId,
          calls: calls.map(([name, input]) => ({
            id: `call-${++ids.last}`,
            name,
            arguments: typeof input === "string" ? input : JSON.stringify(input)
          }))
        },
        { _tag: "ResponseDone", responseId, stopReason: "tool_use" }
      )
      return responseId
    }),
    hear: Effect.fnUntraced(function* (text, { lasting } = {}) {
      const itemId = `heard-${++ids.last}`
      yield* emit({ _tag: "SpeechStarted" })
      if (lasting !== undefined) yield* Effect.sleep(lasting)
      yield* emit(
        { _tag: "SpeechStopped" },
        { _tag: "UserTurn", itemId, respond: true },
        { _tag: "TranscriptDone", role: "user", itemId, text }
      )
    }),
    wait: Effect.sleep,
    drop: (error = lost) => Effect.andThen(accept, Effect.asVoid(Queue.fail(events, error))),
    rejectNext: (error) => accepted(() => void (rejection = error)),
    holdUpdates: accepted(() => void (holdsUpdates = true)),
    confirmUpdate: Effect.flatMap(Queue.take(updates), (update) => Effect.asVoid(Deferred.succeed(update, undefined))),
    refuseUpdate: (error) =>
      Effect.flatMap(Queue.take(updates), (update) => Effect.asVoid(Deferred.fail(update, error))),
    congest: (value) => Effect.sync(() => void (congested = value))
  }

  const connection: Pick<Connection, "seed" | "send" | "sendAudio" | "listen"> = {
    seed: (entries) =>
      Effect.sync(() => {
        history = entries
        record({ _tag: "Seeded", history })
      }),
    send: (command) =>
      Effect.suspend(() => {
        if (events.state._tag !== "Open") return Effect.fail(lost)
        if (rejection !== undefined) {
          const error = rejection
          rejection = undefined
          return Effect.fail(error)
        }
        record({ _tag: "Command", command })
        Queue.offerUnsafe(commands, command)
        if (!holdsUpdates || command._tag !== "Update") return Effect.void
        const update = Deferred.makeUnsafe<void, BidiError>()
        Queue.offerUnsafe(updates, update)
        return Deferred.await(update)
      }),
    sendAudio: (audio) => {
      if (congested || events.state._tag !== "Open") return false
      record({ _tag: "Audio", audio })
      return Queue.offerUnsafe(frames, audio)
    },
    listen: (take) => takeStream(Stream.fromQueue(events), take)
  }

  return {
    line,
    connection,
    /** Waits until the script lets the conversation in. */
    ready: Deferred.await(ready),
    /** The script is wrong about the conversation. */
    die: (cause: Cause.Cause<never>) => Effect.andThen(Deferred.failCause(ready, cause), Queue.failCause(events, cause))
  }
})

const lost = new BidiError({ reason: new ConnectionLost({ message: "the scripted model hung up" }), provider: "test" })
