/**
 * A connection: a line, a session on it that is ready, and the protocol between both.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { takeEach } from "@effect-bidi/core/adapter/Inbox"
import type { Command, Connection, ModelEvent, Setup } from "@effect-bidi/core/BidiModel"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { receive } from "./decode.ts"
import type { Endpoint } from "./dial.ts"
import { encode, refusal } from "./encode.ts"
import * as Errors from "./errors.ts"
import { isFields } from "@effect-bidi/core/adapter/Json"
import type { Inbound } from "./frame.ts"
import { Held, HELD } from "./held.ts"
import { replay } from "./history.ts"
import { isOverdue, onOverdue } from "./reply.ts"
import type { Settings } from "./settings.ts"
import { build, historyOf, undeclarable } from "./setup.ts"
import { type ClientMessage, endOf, type Events, initial, type Session, type State } from "./state.ts"
import { type Line, open } from "./transport.ts"

/** Opens connections; the key is asked for anew for every one. */
export const connect = (settings: Settings, endpoint: Endpoint, key: Effect.Effect<Redacted.Redacted, BidiError>) =>
  Effect.fn("GeminiLive.connect")(function* (setup: Setup): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const tool = undeclarable(setup)
    if (tool !== undefined) return yield* Errors.keyless.invalid(tool.option, tool.message)
    const apiKey = yield* key
    const errors = Errors.make(Redacted.value(apiKey))
    const asked = { model: settings.model, config: build(settings, setup), history: historyOf(settings, setup) }
    const state = initial(errors, sessionOf(settings, setup))
    const line = yield* open(
      endpoint,
      { apiKey, preview: isPreview(settings) },
      asked,
      settings.input.sampleRate,
      errors
    )
    const { backlog, id } = yield* ready(line, state)
    const ears = listener(line, state)
    const watchdog = yield* watch(settings, line, state)
    return {
      id: id ?? state.session.prefix,
      // the provider announces its end with `goAway`, some time before it
      expiresAt: undefined,
      seed: (history) => Effect.suspend(() => line.send(replay(state, history))),
      send: (command) =>
        Effect.suspend(() => {
          const refused = refusal(state, command)
          if (refused !== undefined) return Effect.fail(refused)
          const messages = encode(state, command)
          if (ears.mustWait && isSignal(command)) return Effect.sync(() => ears.signals(messages))
          return line.send(messages).pipe(Effect.tap(() => Effect.sync(ears.release)))
        }),
      sendAudio: ears.sound,
      listen: (take) =>
        Effect.suspend(() => takeEach(backlog, take) ?? Effect.void).pipe(
          Effect.andThen(
            line.inbox.forEach((message) => {
              const events = message === OVERDUE ? watchdog.bark() : receive(state, [message])
              ears.release(events)
              watchdog.look()
              return takeEach(events, take)
            })
          ),
          Effect.mapError((error) => endOf(state, error))
        )
    }
  })

const isPreview = ({ affectiveDialog, proactivity }: Settings) =>
  affectiveDialog !== undefined || proactivity !== undefined

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

const isSignal = ({ _tag }: Command): boolean => _tag === "TurnStart" || _tag === "TurnCommit"

/** The user's sound on its way to the model, which is not always to have it. */
const listener = (line: Line, state: State) => {
  const held = new Held(state.session.second)
  let lost = false
  const blocked = () => state.session.deafWhileBlocked && state.calls.size > 0
  const mustWait = () => blocked() || !held.isEmpty
  const pass = (frame: Uint8Array) => {
    if (!line.audio(frame)) return false
    state.heard = true
    state.since += frame.length
    return true
  }
  /** Lets go of what waits, when it may; tells of what had to go meanwhile. */
  const release = (events?: Events): void => {
    if (lost && events !== undefined) {
      lost = false
      events.push({ _tag: "Problem", error: state.errors.unheard(HELD) })
    }
    if (!held.isEmpty && !blocked()) held.release({ audio: pass, put: (message) => line.post(message) })
  }
  return {
    get mustWait() {
      return mustWait()
    },
    release: (events?: Events) => release(events),
    signals: (messages: ReadonlyArray<ClientMessage>) => held.signals(messages),
    sound: (frame: Uint8Array): boolean => {
      if (!mustWait()) return pass(frame)
      if (!line.isOpen) return false
      release()
      if (!mustWait()) return pass(frame)
      if (held.sound(frame)) lost = true
      return true
    }
  }
}

// What is put among the provider's messages when nothing came for too long.
const OVERDUE: Inbound = Object.freeze({})

const NUDGE = "The user has spoken and waits for your answer."

/** Notices speech that was heard and is not answered. It sleeps but for a while after the user's words. */
const watch = Effect.fnUntraced(function* ({ unanswered }: Settings, line: Line, state: State) {
  const { nudge } = unanswered
  const after = Duration.toMillis(unanswered.after)
  const clock = yield* Clock.Clock
  const latch = yield* Latch.make(false)
  let seen = 0
  let since = 0
  const left = () => (isOverdue(state) ? since + after - clock.currentTimeMillisUnsafe() : 0)
  const round = Effect.gen(function* () {
    yield* latch.await
    for (let wait = left(); wait > 0; wait = left()) yield* Effect.sleep(wait)
    latch.closeUnsafe()
    if (!isOverdue(state)) return
    line.inbox.offer(OVERDUE)
    if (nudge) yield* line.send(encode(state, { _tag: "Note", text: NUDGE, respond: true }))
  })
  yield* Effect.forkScoped(Effect.ignore(Effect.forever(round)))
  return {
    look: () => {
      if (!isOverdue(state)) return
      if (state.signs !== seen) since = clock.currentTimeMillisUnsafe()
      seen = state.signs
      latch.openUnsafe()
    },
    bark: (): Events => {
      const events: Events = []
      onOverdue(state, after, nudge, events)
      return events
    }
  }
})

const sessionOf = (
  { behavior, family, input, inputTranscription, model, proactivity, scheduling, turnDetection }: Settings,
  setup: Setup
): Session => ({
  prefix: `live_${crypto.randomUUID().slice(-12)}`,
  model,
  second: Audio.byteRate(input),
  manual: turnDetection === "manual",
  interrupts: turnDetection === "manual" || turnDetection.interruptResponse !== false,
  responds: family.proactivity === "never" || (family.proactivity === "optional" && proactivity?.audio !== true),
  transcribes: inputTranscription !== undefined,
  blocking: behavior !== "non_blocking",
  deafWhileBlocked: behavior !== "non_blocking" && family.deafWhileBlocked,
  scheduling: behavior === "non_blocking" ? scheduling : undefined,
  seed: family.seed,
  context: family.context,
  resumed: setup.resume !== undefined
})
