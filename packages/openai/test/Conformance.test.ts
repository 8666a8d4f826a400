/** What every provider has to do, through the real SDK against the emulator. */
import * as BidiConformance from "@effect-bidi/core/BidiConformance"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { OpenAiRealtime } from "../src/index.ts"
import { proxied } from "../../core/test/support/proxy.ts"

/** `speed`: how much faster than they are heard replies come. */
const makeLab = Effect.fnUntraced(function* (speed: number) {
  const { awaitConnections, awaitEntry, control, url } = yield* OpenAiEmulator.make({
    speed,
    voice: "tones",
    seed: 1,
    log: { audio: true }
  })
  const at = { apiKey: Redacted.make("key"), baseUrl: url }
  const refusing = (status: number) => control.onNextConnection(Fault.refuse(status))
  const now = (...faults: ReadonlyArray<Fault.Fault>) => Effect.asVoid(control.inject(...faults))
  const error = (code: string, type = "invalid_request_error") =>
    Fault.push({ type: "error", error: { type, code, message: code } })
  return {
    model: OpenAiRealtime.layer(at),
    manual: OpenAiRealtime.layer({ ...at, turnDetection: "manual" }),
    proxied: proxied(url, ["http/1.1"], (secured) => ({
      layer: OpenAiRealtime.layerFromEnv(),
      variables: { OPENAI_API_KEY: "key", OPENAI_BASE_URL: secured }
    })),
    server: {
      reply: ({ calls = [], text = "" }) =>
        control.nextReply({ text, calls: calls.map(({ arguments: args, name }) => ({ name, arguments: args })) }),
      hear: control.nextTranscript,
      hold: control.hold,
      release: control.release,
      received: (text) =>
        Effect.asVoid(awaitEntry((entry) => entry.kind === "received" && JSON.stringify(entry.event).includes(text))),
      connections: awaitConnections,
      sendMalformed: now(Fault.malformed(undefined, "not JSON")),
      stall: now(Fault.stall()),
      unstall: control.unstall,
      flood: (messages) =>
        now(...Array.from({ length: messages }, () => Fault.push({ type: "input_audio_buffer.cleared" }))),
      truncated: (heard) =>
        Effect.asVoid(
          awaitEntry(
            (entry) =>
              entry.kind === "received" &&
              entry.type === "conversation.item.truncate" &&
              entry.event.audio_end_ms === heard
          )
        ),
      loseRequest: now(Fault.ignoreEvent("response.create")),
      refuseUpdate: now(Fault.refuseEvent("session.update", { param: "session.instructions" })),
      reuseIds: now(Fault.sameEventId),
      repeatToolCalls: now(Fault.duplicate("response.output_item.done", "response.done"))
    },
    failures: [
      { name: "HTTP 401", when: "connect", cause: refusing(401), reason: "Auth" },
      { name: "HTTP 403", when: "connect", cause: refusing(403), reason: "Auth" },
      { name: "HTTP 429", when: "connect", cause: refusing(429), reason: "RateLimited" },
      { name: "HTTP 503", when: "connect", cause: refusing(503), reason: "ServerFault" },
      {
        name: "a key that is refused after the handshake",
        when: "connect",
        cause: control.onNextConnection(error("invalid_api_key"), Fault.close(3000)),
        reason: "Auth"
      },
      {
        name: "no quota",
        when: "connect",
        cause: control.onNextConnection(error("insufficient_quota"), Fault.close(1000)),
        reason: "Quota"
      },
      {
        name: "a drop while connecting",
        when: "connect",
        cause: control.onNextConnection(Fault.drop()),
        reason: "ConnectionLost"
      },
      { name: "a drop", when: "live", cause: now(Fault.drop()), reason: "ConnectionLost" },
      { name: "a close that nobody asked for", when: "live", cause: now(Fault.close(1000)), reason: "ConnectionLost" },
      { name: "a close of the server's fault", when: "live", cause: now(Fault.close(1011)), reason: "ServerFault" },
      { name: "a server that restarts", when: "live", cause: now(Fault.close(1013)), reason: "ServerFault" },
      { name: "the hour", when: "live", cause: now(Fault.expire()), reason: "SessionExpired" }
    ]
  } satisfies BidiConformance.Lab
})

describe.concurrent("conformance", () => {
  for (const { name, run } of BidiConformance.scenarios) {
    it.live(name, () => Effect.scoped(Effect.flatMap(makeLab(Number.POSITIVE_INFINITY), run)), 30_000)
  }
})

describe.concurrent("conformance, where speech takes time", () => {
  for (const { name, run } of BidiConformance.agents) {
    it.live(name, () => Effect.scoped(Effect.flatMap(makeLab(20), run)), 30_000)
  }
})
