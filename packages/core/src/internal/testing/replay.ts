/**
 * A recorded call, played again in virtual time.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { takeStream } from "../../adapter/Inbox.ts"
import type { BidiError } from "../../BidiError.ts"
import { BidiModel, type Command, type ModelEvent } from "../../BidiModel.ts"
import type { Conversation } from "../../CurrentConversation.ts"
import type { Passed, Recording } from "../../ModelRecorder.ts"
import { advance, settle } from "./time.ts"

/**
 * What a recorded call came to when it was played again.
 *
 * @category replay
 * @since 0.1.0
 */
export interface Replayed {
  /** What reached the model this time, and then. */
  readonly commands: ReadonlyArray<Command>
  readonly recorded: ReadonlyArray<Command>
  /** How they differ, in words; none if they do not. */
  readonly differences: ReadonlyArray<string>
  readonly conversation: Conversation
}

/**
 * @category replay
 * @since 0.1.0
 */
export interface ReplayOptions {
  /** By how many milliseconds what was heard may differ: a real device is not exact. Default: 50. */
  readonly tolerance?: number
  /** How long to go on after the last thing that was recorded, in milliseconds. Default: 1000. */
  readonly tail?: number
}

/**
 * Plays a recorded call again in virtual time: the model says what it said, when it said it; the user types and speaks as
 * then; and what the conversation tells the model is compared. `start` starts the conversation, with a speaker where there
 * was one, and its greeting. Sound is silence of the same length. What the application did itself (`say`, `respond`,
 * `note`, `stop`) is not recorded as such: `start` does it again.
 *
 * @example
 * ```ts
 * it.effect("the call of Monday", () =>
 *   Effect.gen(function* () {
 *     const speaker = yield* BidiTest.speaker()
 *     const start = Effect.flatMap(BidiAgent.make(profile), (agent) => agent.start({ outputs: [speaker.output] }))
 *     const { differences } = yield* BidiTest.replay(ModelRecorder.decode(text), start)
 *     assert.deepStrictEqual(differences, [])
 *   })
 * )
 * ```
 *
 * @category replay
 * @since 0.1.0
 */
export const replay = Effect.fnUntraced(function* <E, R>(
  recording: Recording,
  start: Effect.Effect<Conversation, E, R>,
  { tail = 1000, tolerance = 50 }: ReplayOptions = {}
) {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const now = () => clock.currentTimeMillisUnsafe()
  const first = recording.passed[0]?.at ?? 0
  const begin = now()
  const commands: Array<Command> = []
  const lines = new Map<number, Line>()
  const line = (generation: number): Line => {
    let known = lines.get(generation)
    if (known === undefined) lines.set(generation, (known = newLine()))
    return known
  }
  let generations = 0

  const model: BidiModel["Service"] = {
    ...recording.model,
    connect: () =>
      Effect.suspend(() => {
        const { events, ready } = line(++generations)
        return Effect.map(Deferred.await(ready), ({ expiresAt, id }) => ({
          id,
          expiresAt: expiresAt === undefined ? undefined : expiresAt - first + begin,
          seed: () => Effect.void,
          send: (command: Command) => Effect.sync(() => void commands.push(command)),
          sendAudio: () => true,
          listen: (take) => takeStream(Stream.fromQueue(events), take)
        }))
      })
  }

  const starting = yield* Effect.forkIn(Effect.provideService(start, BidiModel, model), scope, {
    startImmediately: true
  })
  let conversation: Conversation | undefined
  const started = Effect.suspend((): Effect.Effect<void, E> => {
    const exit = starting.pollUnsafe()
    if (exit === undefined) return Effect.void
    if (Exit.isFailure(exit)) return exit
    conversation = exit.value
    return Effect.void
  })
  const act = (what: (conversation: Conversation) => Effect.Effect<unknown, BidiError>) =>
    Effect.flatMap(started, () =>
      conversation === undefined
        ? Effect.void
        : Effect.forkIn(Effect.ignore(what(conversation)), scope, { startImmediately: true })
    )

  for (const passed of recording.passed) {
    const due = begin + passed.at - first - now()
    if (due > 0) yield* advance(due)
    yield* pass(passed, line(passed.generation), act, recording)
    yield* settle
  }
  yield* advance(tail)
  yield* started
  const recorded = recording.passed.flatMap((passed) => (passed._tag === "Command" ? [passed.command] : []))
  return {
    commands,
    recorded,
    differences: differencesOf(recorded, commands, tolerance),
    conversation: conversation!
  } satisfies Replayed
}) as <E, R>(
  recording: Recording,
  start: Effect.Effect<Conversation, E, R>,
  options?: ReplayOptions
) => Effect.Effect<Replayed, E, Exclude<R, BidiModel> | Scope.Scope>

interface Line {
  readonly ready: Deferred.Deferred<Extract<Passed, { readonly _tag: "Connected" }>, BidiError>
  readonly events: Queue.Queue<ModelEvent, BidiError>
}

const newLine = (): Line => ({ ready: Deferred.makeUnsafe(), events: Effect.runSync(Queue.unbounded()) })

type Act = (what: (conversation: Conversation) => Effect.Effect<unknown, BidiError>) => Effect.Effect<unknown, any>

const pass = (passed: Passed, { events, ready }: Line, act: Act, { model }: Recording): Effect.Effect<unknown, any> => {
  switch (passed._tag) {
    case "Connected":
      return Deferred.succeed(ready, passed)
    case "NotConnected":
      return Deferred.fail(ready, passed.error)
    case "Said":
      return Queue.offer(events, passed.event)
    case "Lost":
      return Queue.fail(events, passed.error)
    case "Audio":
      return act(({ send }) => send({ _tag: "AudioInput", audio: new Uint8Array(passed.bytes), ...model.input }))
    case "Command": {
      const { command } = passed
      switch (command._tag) {
        case "UserMessage":
          return act(({ send }) => send(command.parts))
        case "TurnStart":
        case "TurnCommit":
        case "TurnClear":
          return act(({ send }) => send({ _tag: command._tag }))
        default:
          return Effect.void
      }
    }
    default:
      return Effect.void
  }
}

const differencesOf = (
  recorded: ReadonlyArray<Command>,
  commands: ReadonlyArray<Command>,
  tolerance: number
): ReadonlyArray<string> => {
  const differences: Array<string> = []
  for (let i = 0; i < Math.max(recorded.length, commands.length); i++) {
    const [then, now] = [recorded[i], commands[i]]
    if (then === undefined) differences.push(`command ${i + 1} is new: ${inWords(now!)}`)
    else if (now === undefined) differences.push(`command ${i + 1} is missing: ${inWords(then)}`)
    else if (!isSame(then, now, tolerance)) {
      differences.push(`command ${i + 1} was ${inWords(then)}, and is ${inWords(now)}`)
    }
  }
  return differences
}

const inWords = (command: Command): string => JSON.stringify(withoutId(command))

// ids of messages are new each time
const withoutId = (command: Command): unknown => {
  if (command._tag !== "UserMessage") return command
  const { id: _, ...rest } = command
  return rest
}

const isSame = (then: Command, now: Command, tolerance: number): boolean => {
  if (then._tag === "Interrupt" && now._tag === "Interrupt") {
    return (
      then.responseId === now.responseId &&
      then.items.length === now.items.length &&
      then.items.every((item, i) => {
        const other = now.items[i]!
        return item.itemId === other.itemId && Math.abs(item.heard - other.heard) <= tolerance
      })
    )
  }
  return inWords(then) === inWords(now)
}
