/**
 * The provider's side of the OpenAI Realtime wire on loopback: `ws://127.0.0.1:PORT/v1/realtime?model=...`.
 *
 * It has a server, voice, ears and faults of its own and shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* OpenAiEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.drop(Fault.afterSent("response.output_audio.delta", 3)))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("response.create")
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
import * as Session from "./internal/openai/session.ts"
import type { Session as State } from "./internal/openai/state.ts"
import * as Wire from "./internal/openai/codec.ts"
import { listen } from "./internal/websocket/listen.ts"

/** The running emulator. */
export class OpenAiEmulator extends Context.Service<OpenAiEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/OpenAiEmulator"
) {}

/** Options of the emulator; every one has a default. */
export type Options = Emulator.Options

const failed = (
  status: number,
  code: string | null,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): Refused => ({
  status,
  headers,
  body: { error: { message, type: "invalid_request_error", param: null, code } }
})

const messages: Readonly<Record<number, readonly [code: string | null, message: string]>> = {
  401: ["invalid_api_key", "Incorrect API key provided."],
  403: ["access_denied", "You are not allowed to use this."],
  429: ["rate_limit_exceeded", "Rate limit reached. Please try again later."],
  503: [null, "The server is overloaded or not ready yet."]
}

const refuse = ({ code, message, retryAfterSeconds, status }: Refusal): Refused => {
  const [usual, text] = messages[status] ?? [null, "The handshake was refused."]
  const headers = retryAfterSeconds === undefined ? undefined : { "retry-after": `${retryAfterSeconds}` }
  return failed(status, code ?? usual, message ?? text, headers)
}

const keyOf = ({ headers }: Handshake): string | undefined => /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1]

const faults = new Set<Fault["_tag"]>([
  ...(["Refuse", "Mute", "Close", "End", "Drop", "Stall", "Malformed", "Duplicate", "Slow", "Hold", "Expire"] as const),
  ...(["Push", "FailResponse", "CutResponse", "CancelCalls", "ToolStorm", "LateAudio"] as const),
  ...([
    "IgnoreEvent",
    "RefuseEvent",
    "ErrorsWithoutEventId",
    "SameEventId",
    "SameCallId",
    "BetaNames",
    "FailTranscription",
    "ClockSkew"
  ] as const)
])

const provider = (options: Options): Provider<State> => {
  const speed = options.speed ?? 8
  const latency = options.latency ?? (speed === Number.POSITIVE_INFINITY ? 0 : "50 millis")
  return {
    basePath: "/v1",
    listen: listen(Wire.codec),
    typesOf: Wire.typesOf,
    blobOf: Wire.blobOf,
    complete: Wire.complete,
    faults,
    refuse,
    accept: (request, { assistant, seed }) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://emulator")
      if (!/^\/+v1\/+realtime\/?$/.test(pathname)) return failed(404, "unknown_url", `Invalid URL (GET ${pathname})`)
      const key = keyOf(request)
      if (key === undefined) return failed(401, null, "Missing bearer or basic authentication in header")
      if (options.apiKeys !== undefined && !options.apiKeys.includes(key)) {
        return failed(401, "invalid_api_key", "Incorrect API key provided.")
      }
      const model = searchParams.get("model") ?? ""
      if (model === "") return failed(400, "missing_model", "You must provide a model parameter.")
      if (options.models !== undefined && !options.models.includes(model)) {
        return failed(404, "model_not_found", `The model '${model}' does not exist or you do not have access to it.`)
      }
      return Session.make({
        model,
        seed,
        speed,
        chunkMs: Math.max(1, Math.round(Duration.toMillis(options.chunk ?? "100 millis"))),
        latencyMs: Duration.toMillis(latency),
        sessionMs: Duration.toMillis(options.sessionLimit ?? "60 minutes"),
        assistant
      })
    }
  }
}

/** Starts an emulator; it ends with the scope, and every socket with it. Fails when the port is taken. */
export const make = (options: Options = {}) => serve(provider(options), options)

/** The emulator as a service. */
export const layer = (options: Options = {}): Layer.Layer<OpenAiEmulator, Emulator.ListenError> =>
  Layer.effect(OpenAiEmulator, make(options))
