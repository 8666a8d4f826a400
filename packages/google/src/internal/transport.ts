/**
 * One WebSocket through the SDK.
 */
import { parse } from "@effect-bidi/core/adapter/Json"
import * as WebSocketLine from "@effect-bidi/core/adapter/WebSocketLine"
import { type Caller, dial, type Endpoint, type Session } from "./dial.ts"
import type { Errors } from "./errors.ts"
import type { Inbound } from "./frame.ts"

export type Line = WebSocketLine.WebSocketLine<Inbound>

/** Connects. `rate` is that of the user's audio, in Hz. */
export const open = (endpoint: Endpoint, caller: Caller, session: Session, rate: number, errors: Errors) => {
  const { address } = endpoint
  const resumes = session.config.sessionResumption?.handle !== undefined
  let isReady = false
  return WebSocketLine.open<Inbound>(
    {
      address,
      errors,
      refused: errors.refused,
      closed: (code, reason) => errors.closed(code, reason, isReady ? "live" : resumes ? "resume" : "setup"),
      audio: { before: `{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=${rate}","data":"`, after: '"}}}' }
    },
    (line) =>
      dial(
        endpoint,
        caller,
        session,
        (socket) => {
          line.attach(socket)
          socket.on("message", (data) => {
            const message = parse(String(data))
            isReady ||= message?.setupComplete !== undefined
            line.read(message)
          })
        },
        () => line.end(errors.unsupported("@google/genai", `the SDK could not set up a session at ${address}`))
      ),
    // what the SDK says may quote the URL, and the key with it
    () => errors.unsupported("@google/genai", `the SDK could not set up a connection to ${address}`)
  )
}
