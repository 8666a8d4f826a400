/**
 * The provider's side of the Gemini Live wire on loopback:
 * `ws://127.0.0.1:PORT/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=...`.
 *
 * It has a server, voice, ears and faults of its own and shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* GeminiEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.goAway({ at: Fault.afterSent("serverContent.turnComplete") }))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("setup", 2) // it came back
 * }).pipe(Effect.scoped) // every socket is gone
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import type * as Emulator from "./Emulator.ts"
import type { Fault, Refusal } from "./Fault.ts"
import type { Provider } from "./internal/server/provider.ts"
import { serve } from "./internal/server/serve.ts"
import type { Handshake, Refused } from "./internal/server/transport.ts"
import { isLive } from "./internal/gemini/family.ts"
import * as Session from "./internal/gemini/session.ts"
import type { Session as State } from "./internal/gemini/state.ts"
import * as Wire from "./internal/gemini/codec.ts"
import { listen } from "./internal/websocket/listen.ts"

/** The running emulator. */
export class GeminiEmulator extends Context.Service<GeminiEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/GeminiEmulator"
) {}

/** Options of the emulator; every one has a default. `sessionLimit` is how long one connection lasts: 10 minutes. */
export interface Options extends Emulator.Options {
  /** How long before its end a connection is told to go: 60 seconds, or a tenth of shorter sessions. */
  readonly goAwayBefore?: Duration.Input
  /** How a connection ends that has lasted its full time: with close 1011, or without a word (1006). */
  readonly ending?: "deadline" | "drop"
  /** How long a handle can be used after its connection: 2 hours. */
  readonly handleLifetime?: Duration.Input
  /** Whether speech is told of as it begins and ends. By default as the model does: 3.1 tells, 3.8 and 2.5 do not. */
  readonly voiceActivity?: boolean
  /** How long a conversation lasts over all its connections without `contextWindowCompression`: 15 minutes. */
  readonly uncompressedLimit?: Duration.Input
}

const failed = (
  code: number,
  status: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): Refused => ({ status: code, headers, body: { error: { code, message, status } } })

const errors: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ["INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."],
  401: ["UNAUTHENTICATED", "Request had invalid authentication credentials."],
  403: ["PERMISSION_DENIED", "Permission denied."],
  429: ["RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  503: ["UNAVAILABLE", "The model is overloaded. Please try again later."]
}

const refuse = ({ code, message, retryAfterSeconds, status }: Refusal): Refused => {
  const [usual, text] = errors[status] ?? ["UNKNOWN", "The handshake was refused."]
  const headers = retryAfterSeconds === undefined ? undefined : { "retry-after": `${retryAfterSeconds}` }
  return failed(status, code ?? usual, message ?? text, headers)
}

const keyOf = ({ headers }: Handshake, query: URLSearchParams): string => {
  const header = headers["x-goog-api-key"]
  return query.get("key") ?? query.get("access_token") ?? (typeof header === "string" ? header : "")
}

const faults = new Set<Fault["_tag"]>([
  ...(["Refuse", "Mute", "Close", "End", "Drop", "Stall", "Malformed", "Duplicate", "Slow", "Hold", "Expire"] as const),
  ...(["Push", "GoAway", "RejectResumption", "FailResponse", "CutResponse", "CancelCalls", "ToolStorm"] as const),
  ...([
    "LateAudio",
    "SingleMessage",
    "AudioWithInterruption",
    "WrittenText",
    "CallsAsParts",
    "NoReply",
    "TranscriptBursts",
    "LateTranscript"
  ] as const),
  "Background"
])

const provider = (options: Options): Provider<State> => {
  const speed = options.speed ?? 8
  const latency = options.latency ?? (speed === Number.POSITIVE_INFINITY ? 0 : "50 millis")
  const sessionMs = Duration.toMillis(options.sessionLimit ?? "10 minutes")
  return {
    basePath: "",
    listen: listen(Wire.codec),
    typesOf: Wire.typesOf,
    blobOf: Wire.blobOf,
    complete: (event) => event,
    faults,
    refuse,
    accept: (handshake, { assistant, recall, seed }) => {
      const { pathname, searchParams } = new URL((handshake.url ?? "/").replace(/^\/+/, "/"), "http://emulator")
      // clients put one slash or two before the path, and any version into it
      if (!/GenerativeService\.BidiGenerateContent(?:Constrained)?$/.test(pathname)) {
        return failed(404, "NOT_FOUND", `There is nothing at ${pathname}`)
      }
      const key = keyOf(handshake, searchParams)
      if (key === "") {
        return failed(
          403,
          "PERMISSION_DENIED",
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
        )
      }
      return Session.make({
        seed,
        speed,
        chunkMs: Math.max(1, Math.round(Duration.toMillis(options.chunk ?? "100 millis"))),
        latencyMs: Duration.toMillis(latency),
        sessionMs,
        goAwayMs:
          options.goAwayBefore === undefined
            ? Math.min(60_000, sessionMs / 10)
            : Duration.toMillis(options.goAwayBefore),
        uncompressedMs: Duration.toMillis(options.uncompressedLimit ?? "15 minutes"),
        handleMs: Duration.toMillis(options.handleLifetime ?? "2 hours"),
        endCode: options.ending === "drop" ? 1006 : 1011,
        isKeyGood: options.apiKeys === undefined || options.apiKeys.includes(key),
        hasModel: (model) => (options.models === undefined ? isLive(model) : options.models.includes(model)),
        reportsActivity: options.voiceActivity,
        assistant,
        recall
      })
    }
  }
}

/** Starts an emulator; it ends with the scope, and every socket with it. Fails when the port is taken. */
export const make = (options: Options = {}) => serve(provider(options), options)

/** The emulator as a service. */
export const layer = (options: Options = {}): Layer.Layer<GeminiEmulator, Emulator.ListenError> =>
  Layer.effect(GeminiEmulator, make(options))
