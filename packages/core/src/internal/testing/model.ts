/**
 * A model that follows a script, and remembers everything that reached it.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"
import { BidiError, ConnectionLost } from "../../BidiError.ts"
import { takeStream, type Consume } from "../../adapter/Inbox.ts"
import {
  BidiModel,
  type Capabilities,
  type Command,
  type Limits,
  type ModelEvent,
  type Setup
} from "../../BidiModel.ts"
import type { Entry } from "../../Transcript.ts"
import { wordsOf } from "../history/spoken.ts"

/**
 * Something that reached the model. `at` is in milliseconds of the clock, `generation` counts connections from 1.
 *
 * @category models
 */
export type Logged = { readonly at: number; readonly generation: number } & (
  | { readonly _tag: "Dialed"; readonly setup: Setup }
  | { readonly _tag: "Seeded"; readonly history: ReadonlyArray<Entry> }
  | { readonly _tag: "Command"; readonly command: Command }
  | { readonly _tag: "Audio"; readonly audio: Uint8Array }
  | { readonly _tag: "Closed" }
)

/**
 * What the scripted model says in one reply.
 *
 * @category models
 */
export interface Reply {
  readonly text?: string
  /** How long the speech is; it is sent in frames of 100 ms. */
  readonly audio?: Duration.Input
  /** How long the model takes to produce all of it. Default: no time at all. */
  readonly over?: Duration.Input
  readonly responseId?: string
  readonly itemId?: string
  /** Leaves the reply open: no `ResponseDone`. */
  readonly unfinished?: boolean
}

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

/**
 * The model's end of one connection.
 *
 * @category models
 */
export interface Line {
  /** Counts the connections, from 1. */
  readonly generation: number
  readonly setup: Setup
  /** The history this connection was given, so far. */
  readonly history: () => ReadonlyArray<Entry>
  /** Declares the connection ready. The first word or expectation does it too; waiting does not. */
  readonly accept: Effect.Effect<void>
  /** Does not let the conversation in. */
  readonly refuse: (error: BidiError) => Effect.Effect<never>
  /** The next command, whatever it is. */
  readonly next: Effect.Effect<Command>
  /** The next command, which must be of this kind; anything else fails the test. */
  readonly expect: <Tag extends Command["_tag"]>(tag: Tag) => Effect.Effect<CommandOf<Tag>>
  /** The next command, which must be this text of the user. */
  readonly expectText: (text: string) => Effect.Effect<void>
  /** The next frame of the user's audio. */
  readonly nextAudio: Effect.Effect<Uint8Array>
  readonly emit: (...events: ReadonlyArray<ModelEvent>) => Effect.Effect<void>
  /** Says something, from `ResponseStarted` to `ResponseDone`. Answers the id of the response. */
  readonly reply: (reply: Reply) => Effect.Effect<string>
  /** Calls tools in one response, named with their arguments; ids are `call-1`, `call-2`, … */
  readonly callTools: (...calls: ReadonlyArray<readonly [name: string, input: unknown]>) => Effect.Effect<string>
  /** The user is heard: speech starts, lasts, stops, is taken as a turn, and its words are known. */
  readonly hear: (text: string, options?: { readonly lasting?: Duration.Input }) => Effect.Effect<void>
  readonly wait: (duration: Duration.Input) => Effect.Effect<void>
  /** Ends the connection from the model's side; by default it is simply lost. */
  readonly drop: (error?: BidiError) => Effect.Effect<void>
  /** Refuses the next command with this error, which must be `InvalidRequest` or `Unsupported`. */
  readonly rejectNext: (error: BidiError) => Effect.Effect<void>
  /** From now on an `Update` is not confirmed by itself: it waits for one of the two below, or for ever. */
  readonly holdUpdates: Effect.Effect<void>
  /** Confirms the `Update` that waits, once there is one. */
  readonly confirmUpdate: Effect.Effect<void>
  /** Refuses the `Update` that waits, once there is one, with `InvalidRequest` or `Unsupported`. */
  readonly refuseUpdate: (error: BidiError) => Effect.Effect<void>
  /** From now on frames of audio are refused (`true`) or taken again. */
  readonly congest: (congested: boolean) => Effect.Effect<void>
}

/**
 * What the model does on a connection. When the script ends the connection stays open.
 *
 * @category models
 */
export type Script = (line: Line) => Effect.Effect<void>

/**
 * @category models
 */
export interface TestModel {
  readonly layer: Layer.Layer<BidiModel>
  /** Everything that reached the model so far, on any connection. */
  readonly log: () => ReadonlyArray<Logged>
  /** The commands among it. */
  readonly commands: () => ReadonlyArray<Command>
  /** How many connections are open now. */
  readonly open: () => number
}

/**
 * @category models
 */
export interface ModelOptions {
  /** Default: `pcm` at 24000 Hz, one channel, in both directions. */
  readonly input?: Audio.AudioFormat
  readonly output?: Audio.AudioFormat
  /** Default: everything but `resumption`. */
  readonly capabilities?: Partial<Capabilities>
  /** Default: none. */
  readonly limits?: Limits
  /**
   * The life of each connection, told to the conversation as `expiresAt`. One that is negative is that of a provider whose
   * clock is slow.
   */
  readonly lifetime?: Duration.Input
}

const FRAME = Duration.millis(100)

/**
 * A model that follows a script: the one given, for every connection (`line.generation` tells them apart). What it does
 * not expect is a defect of the conversation, and fails the test when its scope closes, whoever awaits the conversation.
 *
 * @category constructors
 */
export const model = Effect.fnUntraced(function* (script: Script, options: ModelOptions = {}) {
  const clock = yield* Clock.Clock
  const log: Array<Logged> = []
  const format = options.output ?? Audio.pcm(24_000)
  let generations = 0
  let open = 0
  let ids = 0
  let surprise: Cause.Cause<never> | undefined
  const scope = yield* Effect.serviceOption(Scope.Scope)
  if (Option.isSome(scope)) {
    const judge = Effect.suspend(() => (surprise === undefined ? Effect.void : Effect.failCause(surprise)))
    yield* Scope.addFinalizer(scope.value, judge)
  }

  const connect = Effect.fnUntraced(function* (setup: Setup) {
    const generation = ++generations
    const now = () => clock.currentTimeMillisUnsafe()
    const record = (entry: Pick<Logged, "_tag"> & Record<string, unknown>) =>
      void log.push({ at: now(), generation, ...entry } as Logged)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        open++
        record({ _tag: "Dialed", setup })
      }),
      () =>
        Effect.sync(() => {
          open--
          record({ _tag: "Closed" })
        })
    )
    const events = yield* Queue.unbounded<ModelEvent, BidiError>()
    const commands = yield* Queue.unbounded<Command>()
    const frames = yield* Queue.unbounded<Uint8Array>()
    const ready = yield* Deferred.make<void, BidiError>()
    let history: ReadonlyArray<Entry> = []
    let congested = false
    let rejection: BidiError | undefined
    let holds = false
    const updates = yield* Queue.unbounded<Deferred.Deferred<void, BidiError>>()

    const accept = Effect.asVoid(Deferred.succeed(ready, undefined))
    const emit = (...all: ReadonlyArray<ModelEvent>) =>
      Effect.andThen(accept, Effect.asVoid(Queue.offerAll(events, all)))
    const next = Effect.andThen(accept, Queue.take(commands))
    const expect = <Tag extends Command["_tag"]>(tag: Tag) =>
      Effect.flatMap(next, (command) =>
        command._tag === tag
          ? Effect.succeed(command as CommandOf<Tag>)
          : Effect.die(new Error(`connection ${generation}: expected ${tag}, got ${JSON.stringify(command)}`))
      )

    const reply = Effect.fnUntraced(function* (reply: Reply) {
      const responseId = reply.responseId ?? `response-${++ids}`
      const itemId = reply.itemId ?? `item-${ids}`
      const pieces = reply.audio === undefined ? [] : framesOf(format, reply.audio)
      const words = wordsOf(reply.text ?? "")
      const steps = Math.max(pieces.length, words.length, 1)
      const pause =
        reply.over === undefined ? undefined : Duration.times(Duration.fromInputUnsafe(reply.over), 1 / steps)
      yield* emit({ _tag: "ResponseStarted", responseId })
      for (let step = 0; step < steps; step++) {
        if (pause !== undefined) yield* Effect.sleep(pause)
        const from = Math.floor((step * words.length) / steps)
        const delta = words.slice(from, Math.floor(((step + 1) * words.length) / steps)).join("")
        if (delta !== "") yield* emit({ _tag: "TranscriptDelta", role: "assistant", itemId, responseId, delta })
        const audio = pieces[step]
        if (audio !== undefined) yield* emit({ _tag: "AudioDelta", responseId, itemId, audio })
      }
      if (reply.unfinished === true) return responseId
      if (reply.text !== undefined) {
        yield* emit({ _tag: "TranscriptDone", role: "assistant", itemId, responseId, text: reply.text })
      }
      yield* emit({ _tag: "ResponseDone", responseId, stopReason: "complete" })
      return responseId
    })

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
          parts.length === 1 && parts[0] === text
            ? Effect.void
            : Effect.die(new Error(`connection ${generation}: expected "${text}", got ${JSON.stringify(parts)}`))
        ),
      nextAudio: Effect.andThen(accept, Queue.take(frames)),
      emit,
      reply,
      callTools: Effect.fnUntraced(function* (...calls) {
        const responseId = `response-${++ids}`
        yield* emit(
          { _tag: "ResponseStarted", responseId },
          {
            _tag: "ToolCalls",
            responseId,
            calls: calls.map(([name, input]) => ({
              id: `call-${++ids}`,
              name,
              arguments: typeof input === "string" ? input : JSON.stringify(input)
            }))
          },
          { _tag: "ResponseDone", responseId, stopReason: "tool_use" }
        )
        return responseId
      }),
      hear: Effect.fnUntraced(function* (text, { lasting } = {}) {
        const itemId = `heard-${++ids}`
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
      rejectNext: (error) =>
        Effect.andThen(
          accept,
          Effect.sync(() => void (rejection = error))
        ),
      holdUpdates: Effect.andThen(
        accept,
        Effect.sync(() => void (holds = true))
      ),
      confirmUpdate: Effect.flatMap(Queue.take(updates), (update) =>
        Effect.asVoid(Deferred.succeed(update, undefined))
      ),
      refuseUpdate: (error) =>
        Effect.flatMap(Queue.take(updates), (update) => Effect.asVoid(Deferred.fail(update, error))),
      congest: (value) => Effect.sync(() => void (congested = value))
    }

    yield* Effect.forkScoped(
      Effect.onError(script(line), (cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.void
        surprise ??= cause
        return Effect.andThen(Deferred.failCause(ready, cause), Queue.failCause(events, cause))
      }),
      { startImmediately: true }
    )
    yield* Deferred.await(ready)
    const lifetime = options.lifetime
    return {
      id: `connection-${generation}`,
      expiresAt: lifetime === undefined ? undefined : now() + Duration.toMillis(Duration.fromInputUnsafe(lifetime)),
      seed: (entries: ReadonlyArray<Entry>) =>
        Effect.sync(() => {
          history = entries
          record({ _tag: "Seeded", history })
        }),
      send: (command: Command) =>
        Effect.suspend(() => {
          if (events.state._tag !== "Open") return Effect.fail(lost)
          if (rejection !== undefined) {
            const error = rejection
            rejection = undefined
            return Effect.fail(error)
          }
          record({ _tag: "Command", command })
          Queue.offerUnsafe(commands, command)
          if (!holds || command._tag !== "Update") return Effect.void
          const update = Deferred.makeUnsafe<void, BidiError>()
          Queue.offerUnsafe(updates, update)
          return Deferred.await(update)
        }),
      sendAudio: (audio: Uint8Array) => {
        if (congested || events.state._tag !== "Open") return false
        record({ _tag: "Audio", audio })
        return Queue.offerUnsafe(frames, audio)
      },
      listen: (take: Consume<ModelEvent>) => takeStream(Stream.fromQueue(events), take)
    }
  })

  return {
    layer: Layer.succeed(BidiModel, {
      provider: "test",
      model: "scripted",
      input: options.input ?? Audio.pcm(24_000),
      output: format,
      capabilities: {
        truncation: true,
        images: true,
        manualTurns: true,
        resumption: false,
        overlap: true,
        midSessionUpdate: true,
        ...options.capabilities
      },
      limits: options.limits ?? {},
      connect
    }),
    log: () => log,
    commands: () => log.flatMap((entry) => (entry._tag === "Command" ? [entry.command] : [])),
    open: () => open
  } satisfies TestModel
})

const lost = new BidiError({ reason: new ConnectionLost({ message: "the scripted model hung up" }), provider: "test" })

const framesOf = (format: Audio.AudioFormat, length: Duration.Input): ReadonlyArray<Uint8Array> => {
  const audio = new Uint8Array(Audio.bytes(format, length)).fill(1)
  const size = Audio.bytes(format, FRAME)
  return Array.from({ length: Math.ceil(audio.length / size) }, (_, i) => audio.slice(i * size, (i + 1) * size))
}
