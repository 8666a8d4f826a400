/**
 * The server side of the Amazon Nova Sonic wire on loopback: HTTP/2 without encryption,
 * `POST http://127.0.0.1:PORT/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream`, event streams both ways.
 *
 * It shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* NovaEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.exception("throttlingException", "Too many requests"))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("promptStart", 2) // it reconnected
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
import { factor, optionsChecker, paceOf, positive } from "./internal/server/options.ts"
import { refusing } from "./internal/server/refusal.ts"
import type { Problem } from "./internal/server/refusal.ts"
import { serve } from "./internal/server/serve.ts"
import type { Refused } from "./internal/server/transport.ts"
import { listen } from "./internal/http2/listen.ts"
import { makeTransport } from "./internal/http2/transport.ts"
import * as Session from "./internal/nova/session.ts"
import { callerOf } from "./internal/nova/signature.ts"
import type { Session as State } from "./internal/nova/state.ts"
import * as Wire from "./internal/nova/codec.ts"

/**
 * A running emulator as a service.
 *
 * @since 0.1.0
 */
export class NovaEmulator extends Context.Service<NovaEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/NovaEmulator"
) {}

/**
 * The options. Each one has a default.
 *
 * @since 0.1.0
 */
export interface Options extends Emulator.Options {
  /** The longest time without an event from the client: 55 seconds. */
  readonly inputTimeout?: Duration.Input
  /** The longest silence of user and assistant: 180 seconds. */
  readonly silenceTimeout?: Duration.Input
  /** A factor for all three time limits, `sessionLimit` included: 1. */
  readonly limitScale?: number
  /** Whether the response headers are sent at once, or with the first event. */
  readonly headers?: "at-once" | "first-event"
}

const checkOptions = optionsChecker({
  inputTimeout: positive,
  silenceTimeout: positive,
  limitScale: factor,
  headers: Schema.Literals(["at-once", "first-event"])
})

const refused = (status: number, error: string, message: string): Refused => ({
  status,
  headers: { "x-amzn-errortype": error },
  body: { message }
})

const problems: Readonly<Record<number, Problem<string>>> = {
  400: ["ValidationException", "The provided request is not valid."],
  401: ["UnrecognizedClientException", "The security token included in the request is invalid."],
  403: ["AccessDeniedException", "You don't have access to the model with the specified model ID."],
  404: ["ResourceNotFoundException", "The model could not be found."],
  429: ["ThrottlingException", "Too many requests, please wait before trying again."],
  500: [
    "InternalServerException",
    "The system encountered an unexpected error during processing. Try your request again."
  ],
  503: ["ServiceUnavailableException", "The service is currently unavailable. Try your request again."]
}

const refuse = refusing({
  problems,
  otherwise: ["InternalServerException", "The request was refused."],
  refused
})

/** Models of this wire, with the region that a profile may put before them. */
const isSonic = (model: string): boolean => /^(?:[a-z]{2,6}\.)?amazon\.nova(?:-2)?-sonic-v1:0$/.test(model)

const faults = new Set<Fault["_tag"]>([
  ...commonFaults,
  ...(["Exception", "ResetStream", "TruncateFrame", "WrongLength", "GoAway"] as const)
])

const provider = (options: Options): Provider<State> => {
  const pace = paceOf(options, "8 minutes")
  const scale = options.limitScale ?? 1
  return {
    basePath: "",
    listen: listen((stream, socket, handshake, maxPayload) =>
      makeTransport({
        stream,
        socket,
        codec: Wire.codec(callerOf(handshake)._tag === "Signed"),
        headers: { "content-type": "application/vnd.amazon.eventstream" },
        isEager: options.headers !== "first-event",
        maxPayload
      })
    ),
    typesOf: Wire.typesOf,
    blobOf: Wire.blobOf,
    complete: (event) => event,
    faults,
    refuse,
    accept: (handshake, { assistant, seed }) => {
      const path = /^\/model\/([^/]+)\/invoke-with-bidirectional-stream$/.exec(handshake.url ?? "")
      if (path === null || handshake.method !== "POST") {
        return refused(404, "UnknownOperationException", "There is nothing at this path.")
      }
      const caller = callerOf(handshake)
      if (caller._tag === "Rejected") return refused(caller.status, caller.error, caller.message)
      if (options.apiKeys !== undefined && !options.apiKeys.includes(caller.key)) {
        return refused(403, ...problems[401]!)
      }
      const model = decodeURIComponent(path[1]!)
      if (options.models === undefined ? !isSonic(model) : !options.models.includes(model)) {
        return refused(400, "ValidationException", "The provided model identifier is invalid.")
      }
      return Session.make({
        seed,
        ...pace,
        sessionMs: pace.sessionMs * scale,
        inputMs: Duration.toMillis(options.inputTimeout ?? "55 seconds") * scale,
        silenceMs: Duration.toMillis(options.silenceTimeout ?? "180 seconds") * scale,
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
export const layer = (options: Options = {}): Layer.Layer<NovaEmulator, Emulator.ListenError> =>
  Layer.effect(NovaEmulator, make(options))
