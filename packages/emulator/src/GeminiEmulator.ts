/**
 * The server side of the Gemini Live wire on loopback:
 * `ws://127.0.0.1:PORT/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=...`.
 *
 * It shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* GeminiEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.goAway({ at: Fault.afterSent("serverContent.turnComplete") }))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("setup", 2) // it reconnected
 * }).pipe(Effect.scoped) // closes every socket
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Emulator from "./Emulator.ts"
import type { Fault } from "./Fault.ts"
import { commonFaults } from "./internal/server/provider.ts"
import type { Provider } from "./internal/server/provider.ts"
import { optionsChecker, paceOf, positive } from "./internal/server/options.ts"
import { refusing } from "./internal/server/refusal.ts"
import type { Problem } from "./internal/server/refusal.ts"
import { serve } from "./internal/server/serve.ts"
import type { Handshake, Refused } from "./internal/server/transport.ts"
import { isLive } from "./internal/gemini/family.ts"
import * as Session from "./internal/gemini/session.ts"
import type { Session as State } from "./internal/gemini/state.ts"
import * as Wire from "./internal/gemini/codec.ts"
import { listen } from "./internal/websocket/listen.ts"

/**
 * A running emulator as a service.
 *
 * @since 0.1.0
 */
export class GeminiEmulator extends Context.Service<GeminiEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/GeminiEmulator"
) {}

/**
 * The options. Each one has a default. `sessionLimit` is the time limit of one connection.
 *
 * @since 0.1.0
 */
export interface Options extends Emulator.Options {
  /** How long before the end of a connection `goAway` is sent: 60 seconds, or a tenth of shorter sessions. */
  readonly goAwayBefore?: Duration.Input
  /** How a connection ends at its time limit: with close code 1011, or dropped (1006). */
  readonly ending?: "deadline" | "drop"
  /** How long a resumption handle is valid after its connection: 2 hours. */
  readonly handleLifetime?: Duration.Input
  /** Whether the start and the end of speech are reported. By default as the model does: 3.1 does, 3.8 and 2.5 do not. */
  readonly voiceActivity?: boolean
  /** The time limit of a conversation over all its connections without `contextWindowCompression`: 15 minutes. */
  readonly uncompressedLimit?: Duration.Input
}

const checkOptions = optionsChecker({
  goAwayBefore: positive,
  ending: Schema.Literals(["deadline", "drop"]),
  handleLifetime: positive,
  voiceActivity: Schema.Boolean,
  uncompressedLimit: positive
})

const refused = (code: number, status: string, message: string): Refused => ({
  status: code,
  headers: {},
  body: { error: { code, message, status } }
})

const problems: Readonly<Record<number, Problem<string>>> = {
  400: ["INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."],
  401: ["UNAUTHENTICATED", "Request had invalid authentication credentials."],
  403: ["PERMISSION_DENIED", "Permission denied."],
  429: ["RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  503: ["UNAVAILABLE", "The model is overloaded. Please try again later."]
}

const refuse = refusing({ problems, otherwise: ["UNKNOWN", "The handshake was refused."], refused })

const keyOf = ({ headers }: Handshake, query: URLSearchParams): string => {
  const header = headers["x-goog-api-key"]
  return query.get("key") ?? query.get("access_token") ?? (typeof header === "string" ? header : "")
}

const faults = new Set<Fault["_tag"]>([
  ...commonFaults,
  ...(["Close", "GoAway", "RejectResumption", "CancelCalls", "SingleMessage", "AudioWithInterruption"] as const),
  ...(["WrittenText", "CallsAsParts", "NoReply", "TranscriptBursts", "LateTranscript", "Background"] as const)
])

const provider = (options: Options): Provider<State> => {
  const pace = paceOf(options, "10 minutes")
  return {
    basePath: "",
    listen: listen(Wire.codec),
    typesOf: Wire.typesOf,
    blobOf: Wire.blobOf,
    complete: (event) => event,
    faults,
    refuse,
    accept: (handshake, { assistant, lookup, seed }) => {
      const { pathname, searchParams } = new URL((handshake.url ?? "/").replace(/^\/+/, "/"), "http://emulator")
      // clients put one slash or two before the path, and any version into it
      if (!/GenerativeService\.BidiGenerateContent(?:Constrained)?$/.test(pathname)) {
        return refused(404, "NOT_FOUND", `There is nothing at ${pathname}`)
      }
      const key = keyOf(handshake, searchParams)
      if (key === "") {
        return refused(
          403,
          "PERMISSION_DENIED",
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
        )
      }
      return Session.make({
        seed,
        ...pace,
        goAwayMs:
          options.goAwayBefore === undefined
            ? Math.min(60_000, pace.sessionMs / 10)
            : Duration.toMillis(options.goAwayBefore),
        uncompressedMs: Duration.toMillis(options.uncompressedLimit ?? "15 minutes"),
        handleMs: Duration.toMillis(options.handleLifetime ?? "2 hours"),
        endCode: options.ending === "drop" ? 1006 : 1011,
        isKeyGood: options.apiKeys === undefined || options.apiKeys.includes(key),
        hasModel: (model) => (options.models === undefined ? isLive(model) : options.models.includes(model)),
        reportsActivity: options.voiceActivity,
        assistant,
        lookup
      })
    }
  }
}

/**
 * Starts an emulator. It stops with the scope and closes every socket. Fails when it cannot listen on the address, and
 * dies when an option is wrong.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): Effect.Effect<Emulator.Emulator, Emulator.ListenError, Scope.Scope> =>
  Effect.andThen(checkOptions(options), serve(provider(options), options))

/**
 * The emulator as a service.
 *
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<GeminiEmulator, Emulator.ListenError> =>
  Layer.effect(GeminiEmulator, make(options))
