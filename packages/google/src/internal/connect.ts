/**
 * A connection: a line, a session on it that is ready, and the protocol between both.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Id from "@effect-bidi/core/adapter/Id"
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
import { isFields, optionalText } from "@effect-bidi/core/adapter/Json"
import type { Inbound } from "./frame.ts"
import { replay } from "./history.ts"
import { Microphone } from "./microphone.ts"
import { isOverdue, onOverdue } from "./reply.ts"
import type { Settings } from "./settings.ts"
import { build, historyOf, undeclarable } from "./setup.ts"
import { endOf, type Events, initial, type Session, type State } from "./state.ts"
import { type Line, open } from "./transport.ts"

/** Opens connections; the key is asked for anew for every one. */
export const connect = (settings: Settings, endpoint: Endpoint, key: Effect.Effect<Redacted.Redacted, BidiError>) =>
  Effect.fn("GeminiLive.connect")(function* (setup: Setup): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const tool = undeclarable(setup)
    if (tool !== undefined) return yield* Errors.keyless.invalid(tool.option, tool.message)
    const apiKey = yield* key
    const errors = Errors.make(Redacted.value(apiKey))
    const asked = { model: settings.model, config: build(settings, setup), history: historyOf(settings, setup) }
    const id = yield* Id.uuid
    const state = initial(errors, sessionOf(settings, setup, `live_${id.slice(-12)}`))
    const line = yield* open(
      endpoint,
      { apiKey, preview: isPreview(settings) },
      asked,
      settings.input.sampleRate,
      errors
    )
    const { backlog, sessionId } = yield* ready(line, state)
    const microphone = new Microphone(line, state)
    const unanswered = yield* watchUnanswered(settings, line, state)
    return {
      id: sessionId ?? state.session.prefix,
      // the provider announces its end with `goAway`, some time before it
      expiresAt: undefined,
      seed: (history) => Effect.suspend(() => line.send(replay(state, history))),
      send: (command) =>
        Effect.suspend(() => {
          const refused = refusal(state, command)
          if (refused !== undefined) return Effect.fail(refused)
          const messages = encode(state, command)
          if (microphone.mustWait && isSignal(command)) return Effect.sync(() => microphone.signals(messages))
          return line.send(messages).pipe(Effect.tap(() => Effect.sync(() => microphone.release())))
        }),
      sendAudio: (frame) => microphone.take(frame),
      listen: (take) =>
        Effect.suspend(() => takeEach(backlog, take) ?? Effect.void).pipe(
          Effect.andThen(
            line.inbox.forEach((message) => {
              const events = message === OVERDUE ? unanswered.tell() : receive(state, [message])
              microphone.release(events)
              unanswered.look()
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
    return { backlog, sessionId: isFields(complete) ? optionalText(complete, "sessionId") : undefined }
  }
})

const isSignal = ({ _tag }: Command): boolean => _tag === "TurnStart" || _tag === "TurnCommit"

// What is put among the provider's messages when nothing came for too long.
const OVERDUE: Inbound = Object.freeze({})

const NUDGE = "The user has spoken and waits for your answer."

/** Notices speech that was heard and is not answered. It sleeps but for a while after the user's words. */
const watchUnanswered = Effect.fnUntraced(function* ({ unanswered }: Settings, line: Line, state: State) {
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
    tell: (): Events => {
      const events: Events = []
      onOverdue(state, after, nudge, events)
      return events
    }
  }
})

const sessionOf = (
  { behavior, features, input, inputTranscription, model, proactivity, scheduling, turnDetection }: Settings,
  setup: Setup,
  prefix: string
): Session => ({
  prefix,
  model,
  second: Audio.byteRate(input),
  manual: turnDetection === "manual",
  interrupts: turnDetection === "manual" || turnDetection.interruptResponse !== false,
  responds: features.proactivity === "never" || (features.proactivity === "optional" && proactivity?.audio !== true),
  transcribes: inputTranscription !== undefined,
  blocking: behavior !== "non_blocking",
  rejectsAudioWhileBlocked: behavior !== "non_blocking" && features.rejectsAudioWhileBlocked,
  scheduling: behavior === "non_blocking" ? scheduling : undefined,
  seed: features.seed,
  context: features.context,
  resumed: setup.resume !== undefined
})
