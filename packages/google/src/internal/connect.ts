/**
 * A connection: a line, a session on it that is ready, and the protocol between both.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { takeEach } from "@effect-bidi/core/Inbox"
import type { Connection, ModelEvent, Setup } from "@effect-bidi/core/BidiModel"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { receive } from "./decode.ts"
import type { Endpoint } from "./dial.ts"
import { encode, refusal } from "./encode.ts"
import * as Errors from "./errors.ts"
import { isFields } from "./frame.ts"
import { replay } from "./history.ts"
import type { Settings } from "./settings.ts"
import { build, historyOf, unnameable } from "./setup.ts"
import { endOf, initial, type Session, type State } from "./state.ts"
import { type Line, open } from "./transport.ts"

export const connect = (settings: Settings, endpoint: Endpoint) => {
  const errors = Errors.make(Errors.redacting(Redacted.value(endpoint.apiKey)))

  return Effect.fn("GeminiLive.connect")(function* (
    setup: Setup
  ): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const tool = unnameable(setup)
    if (tool !== undefined) return yield* errors.invalid(tool.option, tool.message)
    const asked = { model: settings.model, config: build(settings, setup), history: historyOf(settings, setup) }
    const state = initial(errors, sessionOf(settings, setup))
    const line = yield* open(endpoint, asked, settings.input.sampleRate, errors)
    const { backlog, id } = yield* ready(line, state)
    return {
      id: id ?? state.session.prefix,
      // the provider announces its end with `goAway`, some time before it
      expiresAt: undefined,
      seed: (history) => Effect.suspend(() => line.send(replay(state, history))),
      send: (command) =>
        Effect.suspend(() => {
          const refused = refusal(state, command)
          return refused === undefined ? line.send(encode(state, command)) : Effect.fail(refused)
        }),
      sendAudio: (frame) => {
        if (!line.audio(frame)) return false
        state.heard = true
        state.since += frame.length
        return true
      },
      listen: listen(line, state, backlog)
    }
  })
}

// What comes before the session is ready is kept for the reader.
const ready = Effect.fnUntraced(function* (line: Line, state: State) {
  const backlog: Array<ModelEvent> = []
  while (true) {
    const message = yield* line.inbox.take
    backlog.push(...receive(state, [message]))
    const complete = message?.setupComplete
    if (complete === undefined) continue
    const id = isFields(complete) && typeof complete.sessionId === "string" ? complete.sessionId : undefined
    return { backlog, id }
  }
})

const listen =
  (line: Line, state: State, backlog: ReadonlyArray<ModelEvent>): Connection["listen"] =>
  (take) =>
    Effect.suspend(() => takeEach(backlog, take) ?? Effect.void).pipe(
      Effect.andThen(line.inbox.forEach((message) => takeEach(receive(state, [message]), take))),
      Effect.mapError((error) => endOf(state, error))
    )

const sessionOf = (
  { behavior, family, input, model, proactivity, scheduling, turnDetection }: Settings,
  setup: Setup
): Session => ({
  prefix: `live_${crypto.randomUUID().slice(-12)}`,
  model,
  second: Audio.byteRate(input),
  manual: turnDetection === "none",
  interrupts: turnDetection === "none" || turnDetection.interruptResponse !== false,
  responds: family.proactivity === "never" || (family.proactivity === "optional" && proactivity?.audio !== true),
  blocking: behavior !== "non_blocking",
  scheduling: behavior === "non_blocking" ? scheduling : undefined,
  seed: family.seed,
  context: family.context,
  resumed: setup.resume !== undefined
})
