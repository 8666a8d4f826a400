/**
 * The provider's side of the Amazon Nova Sonic wire on loopback: HTTP/2 without encryption,
 * `POST http://127.0.0.1:PORT/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream`, event streams both ways.
 *
 * It has a server, voice, ears and faults of its own and shares no code with any client. Its assistant is scripted.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const emulator = yield* NovaEmulator.make({ speed: Infinity, voice: "tones" })
 *   yield* emulator.control.onNextConnection(Fault.exception("throttlingException", "Too many requests"))
 *   const agent = yield* connectTo(emulator.url)
 *   yield* emulator.awaitReceived("promptStart", 2) // it came back
 * }).pipe(Effect.scoped) // every socket is gone
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import type * as Emulator from "./Emulator.ts"
import type { Fault, Refusal } from "./Fault.ts"
import type { Provider } from "./internal/server/provider.ts"
import { serve } from "./internal/server/serve.ts"
import type { Refused } from "./internal/server/transport.ts"
import { listen } from "./internal/http2/listen.ts"
import { makeWire } from "./internal/http2/transport.ts"
import * as Session from "./internal/nova/session.ts"
import { callerOf } from "./internal/nova/signature.ts"
import type { Session as State } from "./internal/nova/state.ts"
import * as Wire from "./internal/nova/codec.ts"

/** The running emulator. */
export class NovaEmulator extends Context.Service<NovaEmulator, Emulator.Emulator>()(
  "@effect-bidi/emulator/NovaEmulator"
) {}

/** Options of the emulator; every one has a default. `sessionLimit` is how long a stream lasts: 8 minutes. */
export interface Options extends Emulator.Options {
  /** The longest time without an event of the client: 55 seconds. */
  readonly inputTimeout?: Duration.Input
  /** The longest time in which nobody says anything: 180 seconds. */
  readonly silenceTimeout?: Duration.Input
  /** All three limits, `sessionLimit` included, times this: 1. */
  readonly limitScale?: number
  /** Whether the headers of the response go out at once, or with the first event. */
  readonly headers?: "at-once" | "first-event"
}

const failed = (
  status: number,
  error: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): Refused => ({ status, headers: { "x-amzn-errortype": error, ...headers }, body: { message } })

const errors: Readonly<Record<number, readonly [error: string, message: string]>> = {
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

const refuse = ({ code, message, retryAfterSeconds, status }: Refusal): Refused => {
  const [usual, text] = errors[status] ?? ["InternalServerException", "The request was refused."]
  const headers = retryAfterSeconds === undefined ? undefined : { "retry-after": `${retryAfterSeconds}` }
  return failed(status, code ?? usual, message ?? text, headers)
}

/** Models of this wire, with the region that a profile may put before them. */
const isSonic = (model: string): boolean => /^(?:[a-z]{2,6}\.)?amazon\.nova(?:-2)?-sonic-v1:0$/.test(model)

const faults = new Set<Fault["_tag"]>([
  ...(["Refuse", "Mute", "End", "Drop", "Stall", "Malformed", "Duplicate", "Slow", "Hold", "Expire", "Push"] as const),
  ...([
    "Exception",
    "ResetStream",
    "TruncateFrame",
    "WrongLength",
    "GoAway",
    "FailResponse",
    "CutResponse",
    "ToolStorm",
    "LateAudio"
  ] as const)
])

const provider = (options: Options): Provider<State> => {
  const speed = options.speed ?? 8
  const latency = options.latency ?? (speed === Number.POSITIVE_INFINITY ? 0 : "50 millis")
  const scale = options.limitScale ?? 1
  return {
    basePath: "",
    listen: listen((stream, socket, handshake, maxPayload) =>
      makeWire({
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
        return failed(404, "UnknownOperationException", "There is nothing at this path.")
      }
      const caller = callerOf(handshake)
      if (caller._tag === "Stranger") return failed(caller.status, caller.error, caller.message)
      if (options.apiKeys !== undefined && !options.apiKeys.includes(caller.key)) {
        return failed(403, ...errors[401]!)
      }
      const model = decodeURIComponent(path[1]!)
      if (options.models === undefined ? !isSonic(model) : !options.models.includes(model)) {
        return failed(400, "ValidationException", "The provided model identifier is invalid.")
      }
      return Session.make({
        seed,
        speed,
        chunkMs: Math.max(1, Math.round(Duration.toMillis(options.chunk ?? "100 millis"))),
        latencyMs: Duration.toMillis(latency),
        sessionMs: Duration.toMillis(options.sessionLimit ?? "8 minutes") * scale,
        inputMs: Duration.toMillis(options.inputTimeout ?? "55 seconds") * scale,
        silenceMs: Duration.toMillis(options.silenceTimeout ?? "180 seconds") * scale,
        assistant
      })
    }
  }
}

/** Starts an emulator; it ends with the scope, and every socket with it. Fails when the port is taken. */
export const make = (options: Options = {}) => serve(provider(options), options)

/** The emulator as a service. */
export const layer = (options: Options = {}): Layer.Layer<NovaEmulator, Emulator.ListenError> =>
  Layer.effect(NovaEmulator, make(options))
