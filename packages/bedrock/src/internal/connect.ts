/**
 * A connection: a line, the protocol on it, and a microphone that is never off.
 *
 * On this wire the past comes after the system prompt and before the first sound, and is taken once. So a connection
 * waits for `seed`, and is kept waiting no longer than the provider allows.
 */
import type { BidiError } from "@effect-bidi/core/BidiError"
import * as Id from "@effect-bidi/core/adapter/Id"
import { takeEach } from "@effect-bidi/core/adapter/Inbox"
import type { Command, Connection, Setup } from "@effect-bidi/core/BidiModel"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { type Account, type Identity, lifeOf } from "./account.ts"
import { finish, receive } from "./decode.ts"
import { encode, nextName } from "./encode.ts"
import { type Errors, isExpiry, isStale } from "./errors.ts"
import { promptEnd, promptStart, sessionEnd, sessionStart, textBlock } from "./events.ts"
import { replay } from "./history.ts"
import { Microphone } from "./microphone.ts"
import type { Settings } from "./settings.ts"
import { initial, type State } from "./state.ts"
import { declare, type DeclaredTool } from "./toolSchema.ts"
import { type Line, open } from "./transport.ts"

/** How long the provider lets a connection live. */
export const CONNECTION_LIFETIME = Duration.minutes(8)

/** How long before its end to replace it. */
export const RENEW_BEFORE = Duration.minutes(1)

// A connection that is signed with keys about to expire ends earlier: with what is left then for replacing it, three
// minutes before the keys do.
const KEY_EXPIRY_MARGIN_MILLIS = Duration.toMillis("2 minutes")

// Keys that nobody renews shall not make one connection chase the other.
const MIN_CONNECTION_MILLIS = Duration.toMillis("1 minute")

// The provider gives up a connection without input after 55 seconds.
const HISTORY_TIMEOUT = "45 seconds"

export const connect = (settings: Settings, account: Account, errors: Errors) =>
  Effect.fn("NovaSonic.connect")(function* (setup: Setup): Effect.fn.Return<Connection, BidiError, Scope.Scope> {
    const choice = impossible(settings, setup)
    if (choice !== undefined) return yield* errors.invalid("toolChoice", choice)
    const tools = declare(setup.tools)
    if (Result.isFailure(tools)) return yield* errors.invalid("tools", tools.failure)
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const identity = yield* account.identity(now())
    const attempt = dialed(settings, account, errors, setup.instructions, tools.success)
    const { keys, line, microphone, startedAt, state } = yield* Effect.catchIf(attempt(identity), isStale, (refusal) =>
      Effect.flatMap(account.renewed(identity), (newer) =>
        newer === undefined ? Effect.fail(refusal) : attempt(newer)
      )
    )
    const expiry = Math.max(lifeOf(keys) - KEY_EXPIRY_MARGIN_MILLIS, startedAt + MIN_CONNECTION_MILLIS)
    const seeded = yield* Latch.make(false)
    yield* Effect.forkScoped(keepAudioFlowing(line, microphone, seeded, now))

    return {
      id: state.promptName,
      expiresAt: Math.min(startedAt + Duration.toMillis(CONNECTION_LIFETIME), expiry),
      seed: (history) =>
        Effect.suspend(() => {
          const past = replay(state, history)
          if (past.length > 0 && microphone.isOpen) {
            return Effect.fail(errors.lost("the history came too late: the provider already listens"))
          }
          const sent = line.send([...past, ...microphone.open(now())])
          // whoever waits for this goes on at once: not before all of it is on its way
          seeded.openUnsafe()
          return sent
        }),
      send: (command) =>
        Effect.suspend(() => {
          const sent = transmit(line, microphone, state, command, now)
          if (microphone.isOpen) seeded.openUnsafe()
          return sent
        }),
      sendAudio: (frame) => {
        const taken = microphone.take(frame, now())
        if (taken) seeded.openUnsafe()
        return taken
      },
      listen: listen(line, state, account)
    }
  })

const transmit = (line: Line, microphone: Microphone, state: State, command: Command, now: () => number) => {
  const batch = encode(state, command)
  if (Result.isFailure(batch)) return Effect.fail(batch.failure)
  // text of now is taken only where sound is
  return line.send(batch.success.length === 0 ? [] : [...microphone.open(now()), ...batch.success])
}

/** One try to connect with these keys. */
const dialed = (
  settings: Settings,
  account: Account,
  errors: Errors,
  system: string | undefined,
  tools: ReadonlyArray<DeclaredTool>
) =>
  Effect.fnUntraced(function* (keys: Identity) {
    const startedAt = yield* Clock.currentTimeMillis
    const state = initial(errors, yield* Id.uuid)
    const { promptName } = state
    let microphone: Microphone | undefined
    const line = yield* open({
      account,
      keys,
      modelId: settings.model,
      errors,
      opening: [
        sessionStart(settings),
        promptStart(promptName, settings, { tools }),
        ...(system === undefined || system.trim() === ""
          ? []
          : textBlock(promptName, nextName(state), "SYSTEM", system, false))
      ],
      closing: () => [...(microphone?.close() ?? []), promptEnd(promptName), sessionEnd]
    })
    microphone = new Microphone(line, settings.input, promptName, nextName(state))
    yield* line.accepted
    return { keys, line, microphone, startedAt, state }
  })

// Sound, from the moment there may be any.
const keepAudioFlowing = (line: Line, microphone: Microphone, seeded: Latch.Latch, now: () => number) =>
  Effect.gen(function* () {
    yield* Effect.raceFirst(seeded.await, Effect.sleep(HISTORY_TIMEOUT))
    if (!microphone.isOpen) yield* line.send(microphone.open(now()))
    while (true) yield* Effect.sleep(microphone.keepAlive(now()))
  }).pipe(Effect.ignore)

const listen =
  (line: Line, state: State, account: Account): Connection["listen"] =>
  (take) =>
    line.inbox
      .forEach((frame) => takeEach(receive(state, [frame]), take))
      .pipe(
        Effect.tapError((error) => {
          if (isExpiry(error)) account.expired()
          // what was said until the end is said before it
          return takeEach(finish(state), take) ?? Effect.void
        })
      )

// A tool that must be called has to be there.
const impossible = ({ toolChoice }: Settings, { tools }: Setup): string | undefined => {
  if (toolChoice === undefined || toolChoice === "auto") return undefined
  const names = tools.map(({ name }) => name).join(", ")
  if (toolChoice === "any") return tools.length > 0 ? undefined : "toolChoice: Expected at least one tool for any"
  return tools.some(({ name }) => name === toolChoice.tool)
    ? undefined
    : `toolChoice: Expected one of the tools: ${names === "" ? "there are none" : names}`
}
