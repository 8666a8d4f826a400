/**
 * A connection: a line, a session on it that is the one we asked for, and the protocol between both.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { type Take, takeEach } from "@effect-bidi/core/Inbox"
import type { Command, Connection, ModelEvent, Setup } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { endOf, receive } from "./decode.ts"
import { dialing, type Endpoint } from "./dial.ts"
import { encode } from "./encode.ts"
import * as Errors from "./errors.ts"
import { count, type Fields, type Frame, isFields, optionalText } from "./frame.ts"
import { replay } from "./history.ts"
import { type Asked, build, difference } from "./session.ts"
import type { Settings } from "./settings.ts"
import { control, initial, type Session, type State } from "./state.ts"
import { type Line, open } from "./transport.ts"

export const connect = (settings: Settings, endpoint: Endpoint) => {
  const errors = Errors.make(Errors.redacting(Redacted.value(endpoint.apiKey)))
  const dial = dialing(endpoint)

  return Effect.fn("OpenAiRealtime.connect")(function* (
    setup: Setup
  ): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const line = yield* open(endpoint, dial, errors)
    yield* line.opened
    const asked = build(settings, setup)
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
    return {
      id: optionalText(updated, "id") ?? optionalText(created, "id") ?? "",
      expiresAt: (count(updated, "expires_at") || count(created, "expires_at")) * 1000 || undefined,
      seed: (history) => Effect.suspend(() => line.send(replay(state, history))),
      send: (command) =>
        Effect.suspend(() => {
          const picture = unreadable(command)
          if (picture === undefined) return line.send(encode(state, command))
          return errors.invalid("mimeType", `${picture} cannot be read: image/png and image/jpeg can`)
        }),
      sendAudio: line.audio.bind(line),
      listen: (take) => listen(line, state, backlog, take)
    }
  })
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

const listen = (line: Line, state: State, backlog: ReadonlyArray<ModelEvent>, take: Take<ModelEvent>) => {
  let fatal: BidiError | undefined
  const frames = line.inbox.forEach((frame) => {
    if (fatal !== undefined) return Effect.fail(fatal)
    const { events, fatal: reason, frames: replies } = receive(state, [frame])
    line.post(replies)
    if (reason !== undefined) line.end((fatal = reason))
    return takeEach(events, take)
  })
  return Effect.suspend(() => takeEach(backlog, take) ?? Effect.void).pipe(
    Effect.andThen(frames),
    Effect.mapError((error) => endOf(state, fatal ?? error))
  )
}

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
