/**
 * A connection: a line, a session on it that is the one we asked for, and the protocol between both.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { type Consume, takeEach } from "@effect-bidi/core/adapter/Inbox"
import * as WebSocketLine from "@effect-bidi/core/adapter/WebSocketLine"
import type { Command, Connection, ModelEvent, Setup } from "@effect-bidi/core/BidiModel"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { endOf, receive } from "./decode.ts"
import type { Dial } from "./dial.ts"
import { encode } from "./encode.ts"
import * as Errors from "./errors.ts"
import { count, type Fields, isFields, optionalText } from "@effect-bidi/core/adapter/Json"
import { type Frame, type Inbound, overdue } from "./frame.ts"
import { replay } from "./history.ts"
import { declare, type WrongTool } from "./schema.ts"
import { type Asked, build, difference } from "./session.ts"
import type { Settings } from "./settings.ts"
import { type ClientEvent, control, initial, type Session, type Settled, type State } from "./state.ts"

/** How long a request for a reply may be without an answer of any kind. The provider answers within a round trip. */
export const REPLY_TIMEOUT = Duration.seconds(4)

/** How long the provider may take to say that it has taken a turn. */
export const CONFIRMATION_TIMEOUT = Duration.seconds(10)

/** Sound that makes a turn at least: the provider refuses less. */
const SHORTEST_TURN = "100 millis"

export const connect = (settings: Settings, target: Target) => {
  const shortest = Audio.bytes(settings.input, SHORTEST_TURN)

  return Effect.fn("OpenAiRealtime.connect")(function* (
    setup: Setup
  ): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const { address, apiKey, dial } = yield* target
    const errors = Errors.make(Redacted.value(apiKey))
    const declared = declare(setup.tools)
    if (Result.isFailure(declared)) return yield* wrong(errors, declared.failure)
    const { closed, refused } = errors
    const line: Line = yield* WebSocketLine.open<Inbound>(
      {
        address,
        errors,
        refused,
        closed,
        audio: { before: '{"type":"input_audio_buffer.append","audio":"', after: '"}' }
      },
      (line) => line.attach(dial(line)),
      () => errors.invalid("baseUrl", `the connection to ${address} could not be set up`)
    )
    yield* line.opened
    const asked = build(settings, { ...setup, tools: declared.success })
    const state = initial(errors, sessionOf(settings, asked, {}))
    yield* line.send([control(state, { type: "session.update", session: asked })])
    const { backlog, created, updated } = yield* confirmed(line, state)
    const changed = difference(asked, settings.model, updated)
    if (changed !== undefined) {
      const { path } = changed
      const values = `asked for ${show(changed.asked)}, got ${show(changed.confirmed)}`
      return yield* errors.invalid(path, `the provider changed ${path}: ${values}`)
    }
    state.session = sessionOf(settings, asked, updated)
    const requests = yield* watchRequests(line)
    const confirmations = new Confirmations(line)
    let committed = 0 // bytes of sound that belong to turns that are over

    const sendAll = (frames: ReadonlyArray<ClientEvent>) => {
      requests(frames)
      return line.send(frames)
    }
    const commit = Effect.fnUntraced(function* (command: Command) {
      if (line.audioBytes - committed < shortest) {
        return yield* errors.invalid(
          "TurnCommit",
          `nothing was said in this turn: expected at least ${SHORTEST_TURN} of sound`
        )
      }
      const end = line.audioBytes
      yield* Effect.timeoutOrElse(confirmations.ask(encode(state, command)), {
        duration: CONFIRMATION_TIMEOUT,
        orElse: () => {
          const silent = errors.lost(
            `the provider did not take a turn within ${Duration.format(CONFIRMATION_TIMEOUT)}`,
            "no_answer"
          )
          line.end(silent)
          return Effect.fail(silent)
        }
      })
      committed = end
    })
    const change = Effect.fnUntraced(function* (command: Extract<Command, { readonly _tag: "Update" }>) {
      const declared = declare(command.tools)
      if (Result.isFailure(declared)) return yield* wrong(errors, declared.failure)
      yield* confirmations.ask(encode(state, { ...command, tools: declared.success }))
    })
    const send = (command: Command) => {
      switch (command._tag) {
        case "TurnStart":
        case "TurnClear":
          committed = line.audioBytes
          return sendAll(encode(state, command))
        case "TurnCommit":
          return commit(command)
        case "Update":
          return change(command)
        default: {
          const picture = unreadable(command)
          if (picture === undefined) return sendAll(encode(state, command))
          return errors.invalid("mimeType", `${picture} cannot be read: image/png and image/jpeg can`)
        }
      }
    }
    return {
      id: optionalText(updated, "id") ?? optionalText(created, "id") ?? "",
      expiresAt: (count(updated, "expires_at") || count(created, "expires_at")) * 1000 || undefined,
      seed: (history) => Effect.suspend(() => line.send(replay(state, history))),
      send: (command) => Effect.suspend(() => send(command)),
      sendAudio: line.audio.bind(line),
      listen: (take) => listen({ line, state, backlog, requests, confirmations }, take)
    }
  })
}

/** Where to connect, asked anew for every connection: keys are changed while a conversation goes on. */
export type Target = Effect.Effect<
  { readonly address: string; readonly apiKey: Redacted.Redacted; readonly dial: Dial },
  BidiError
>

type Line = WebSocketLine.WebSocketLine<Inbound>

const wrong = (errors: Errors.Errors, { message, option }: WrongTool) => errors.invalid(option, message)

/**
 * Tells the reader when the time of a request for a reply is over, in line with what the provider says. Takes frames on
 * their way out, in which there may be one.
 */
const watchRequests = Effect.fnUntraced(function* (line: Line) {
  const clock = yield* Clock.Clock
  const requests = yield* Queue.unbounded<{ readonly eventId: string; readonly until: number }>()
  const wait = Effect.flatMap(Queue.take(requests), ({ eventId, until }) =>
    Effect.andThen(
      Effect.sleep(Math.max(0, until - clock.currentTimeMillisUnsafe())),
      Effect.sync(() => line.inbox.offer(overdue(eventId)))
    )
  )
  yield* Effect.forkScoped(Effect.forever(wait))
  return (frames: ReadonlyArray<ClientEvent>) => {
    for (const { event_id: eventId, type } of frames) {
      if (type !== "response.create" || eventId === undefined) continue
      Queue.offerUnsafe(requests, {
        eventId,
        until: clock.currentTimeMillisUnsafe() + Duration.toMillis(REPLY_TIMEOUT)
      })
    }
  }
})

/** Events of ours that the provider confirms or refuses, and those who wait for that. */
class Confirmations {
  private readonly waiting = new Map<string, Deferred.Deferred<void, BidiError>>()
  private readonly line: Line

  constructor(line: Line) {
    this.line = line
  }

  /** Sends a batch whose first event is confirmed, and waits for that. */
  ask(frames: ReadonlyArray<ClientEvent>): Effect.Effect<void, BidiError> {
    const { line, waiting } = this
    const { event_id: eventId = "" } = frames[0]!
    const answer = Deferred.makeUnsafe<void, BidiError>()
    waiting.set(eventId, answer)
    return line
      .send(frames)
      .pipe(
        Effect.andThen(Effect.raceFirst(Deferred.await(answer), Effect.andThen(line.over, line.gone))),
        Effect.ensuring(Effect.sync(() => waiting.delete(eventId)))
      )
  }

  settle({ error, eventId }: Settled): void {
    const answer = this.waiting.get(eventId)
    if (answer !== undefined) Deferred.doneUnsafe(answer, error === undefined ? Exit.void : Exit.fail(error))
  }
}

// Everything before the confirmation but an error is kept for the reader.
const confirmed = Effect.fnUntraced(function* (line: Line, state: State) {
  const backlog: Array<ModelEvent> = []
  let created: Fields = {}
  while (true) {
    const frame = yield* line.inbox.take
    const session = sessionIn(frame)
    if (frame?.type === "session.updated" && session !== undefined) return { backlog, created, updated: session }
    if (frame?.type === "session.created" && session !== undefined) created = session
    if (frame?.type === "error") return yield* state.errors.api(frame.error)
    backlog.push(...receive(state, [frame]).events)
  }
})

const sessionIn = (frame: Frame | undefined): Fields | undefined =>
  frame !== undefined && isFields(frame.session) ? frame.session : undefined

interface Live {
  readonly line: Line
  readonly state: State
  readonly backlog: ReadonlyArray<ModelEvent>
  readonly requests: (frames: ReadonlyArray<ClientEvent>) => void
  readonly confirmations: Confirmations
}

const listen = Effect.fnUntraced(function* (
  { backlog, confirmations, line, requests, state }: Live,
  take: Consume<ModelEvent>
) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  let fatal: BidiError | undefined
  let explanation = state.closeExplanation
  let spoken = now() // when the provider said them
  const frames = line.inbox.forEach((frame) => {
    if (fatal !== undefined) return Effect.fail(fatal)
    const { events, fatal: reason, frames: replies, settled } = receive(state, [frame])
    if (replies.length > 0) {
      requests(replies)
      for (const reply of replies) line.post(reply)
    }
    if (state.closeExplanation !== explanation) {
      explanation = state.closeExplanation
      spoken = now()
    }
    if (reason !== undefined) line.end((fatal = reason))
    const taken = takeEach(events, take)
    // who waits for it goes on when everybody knows what came before
    if (settled !== undefined) for (const one of settled) confirmations.settle(one)
    return taken
  })
  return yield* Effect.suspend(() => takeEach(backlog, take) ?? Effect.void).pipe(
    Effect.andThen(frames),
    Effect.mapError((error) => endOf(state, fatal ?? error, now() - spoken))
  )
})

// The type of a picture that the provider does not take: it takes PNG and JPEG.
const unreadable = (command: Command): string | undefined => {
  if (command._tag !== "UserMessage") return undefined
  for (const part of command.parts) {
    if (typeof part !== "string" && !/^image\/(png|jpeg)$/.test(part.mimeType)) return part.mimeType
  }
  return undefined
}

// What the provider says of the session counts, where it says something.
const sessionOf = (settings: Settings, asked: Asked, confirmed: Fields): Session => {
  const detection = asked.audio?.input?.turn_detection
  return {
    bytesPerMilli: Audio.byteRate(settings.output) / 1000,
    instructions: optionalText(confirmed, "instructions") ?? asked.instructions ?? "",
    responds: detection != null && detection.create_response !== false,
    interrupts: detection != null && detection.interrupt_response !== false
  }
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
