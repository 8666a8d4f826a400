/**
 * The server side of the OpenAI Realtime wire on loopback: `ws://127.0.0.1:PORT/v1/realtime?model=...`.
 *
 * It shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* OpenAiEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.drop(Fault.afterSent("response.output_audio.delta", 3)))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("response.create")
 * }).pipe(Effect.scoped) // closes every socket
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Emulator from "./Emulator.ts"
import type { Fault } from "./Fault.ts"
import { commonFaults } from "./internal/server/provider.ts"
import type { Provider } from "./internal/server/provider.ts"
import { optionsChecker, paceOf } from "./internal/server/options.ts"
import { refusing } from "./internal/server/refusal.ts"
import type { Problem } from "./internal/server/refusal.ts"
import { serve } from "./internal/server/serve.ts"
import type { Handshake, Refused } from "./internal/server/transport.ts"
import * as Session from "./internal/openai/session.ts"
import type { Session as State } from "./internal/openai/state.ts"
import * as Wire from "./internal/openai/codec.ts"
import { listen } from "./internal/websocket/listen.ts"

/**
 * A running emulator as a service.
 *
 * @since 0.1.0
 */
export class OpenAiEmulator extends Context.Service<OpenAiEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/OpenAiEmulator"
) {}

/**
 * The options. Each one has a default.
 *
 * @since 0.1.0
 */
export type Options = Emulator.Options

const checkOptions = optionsChecker({})

const refused = (status: number, code: string | null, message: string): Refused => ({
  status,
  headers: {},
  body: { error: { message, type: "invalid_request_error", param: null, code } }
})

const problems: Readonly<Record<number, Problem<string | null>>> = {
  401: ["invalid_api_key", "Incorrect API key provided."],
  403: ["access_denied", "You are not allowed to use this."],
  429: ["rate_limit_exceeded", "Rate limit reached. Please try again later."],
  503: [null, "The server is overloaded or not ready yet."]
}

const refuse = refusing<string | null>({ problems, otherwise: [null, "The handshake was refused."], refused })

const keyOf = ({ headers }: Handshake): string | undefined => /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1]

const faults = new Set<Fault["_tag"]>([
  ...commonFaults,
  ...(["Close", "CancelCalls", "ClockSkew"] as const),
  ...(["IgnoreEvent", "RefuseEvent", "ErrorsWithoutEventId", "SameEventId", "SameCallId", "BetaNames"] as const),
  "FailTranscription"
])

const provider = (options: Options): Provider<State> => {
  const pace = paceOf(options, "60 minutes")
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
      if (!/^\/+v1\/+realtime\/?$/.test(pathname)) return refused(404, "unknown_url", `Invalid URL (GET ${pathname})`)
      const key = keyOf(request)
      if (key === undefined) return refused(401, null, "Missing bearer or basic authentication in header")
      if (options.apiKeys !== undefined && !options.apiKeys.includes(key)) {
        return refused(401, "invalid_api_key", "Incorrect API key provided.")
      }
      const model = searchParams.get("model") ?? ""
      if (model === "") return refused(400, "missing_model", "You must provide a model parameter.")
      if (options.models !== undefined && !options.models.includes(model)) {
        return refused(404, "model_not_found", `The model '${model}' does not exist or you do not have access to it.`)
      }
      return Session.make({
        model,
        seed,
        ...pace,
        assistant
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
export const layer = (options: Options = {}): Layer.Layer<OpenAiEmulator, Emulator.ListenError> =>
  Layer.effect(OpenAiEmulator, make(options))
