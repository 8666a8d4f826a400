/** What every provider has to do, through the real SDK against the emulator. */
import * as BidiConformance from "@effect-bidi/core/BidiConformance"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { GeminiLive } from "../src/index.ts"
import { KEY } from "./support/protocol.ts"
import { proxied } from "../../core/test/support/proxy.ts"

/** `speed`: how much faster than they are heard replies come. */
const makeLab = Effect.fnUntraced(function* (speed: number) {
  const { awaitConnections, awaitEntry, control, url } = yield* GeminiEmulator.make({
    speed,
    voice: "tones",
    apiKeys: [KEY],
    seed: 1,
    log: { audio: true }
  })
  // nobody waits ten seconds here for what does not come
  const at = { apiKey: Redacted.make(KEY), baseUrl: url, unanswered: { after: "2 seconds" } } as const
  const refusing = (status: number) => control.onNextConnection(Fault.refuse(status))
  const closing = (code: number, reason?: string) => control.onNextConnection(Fault.close(code, reason))
  const now = (...faults: ReadonlyArray<Fault.Fault>) => Effect.asVoid(control.inject(...faults))
  return {
    model: GeminiLive.layer(at),
    manual: GeminiLive.layer({ ...at, turnDetection: "manual" }),
    blockingTools: GeminiLive.layer({ ...at, model: "gemini-2.5-flash-native-audio-preview-12-2025" }),
    // the default model does not tell of speech
    withoutSpeechEvents: GeminiLive.layer(at),
    proxied: proxied(url, ["http/1.1"], (secured) => ({
      layer: GeminiLive.layerFromEnv(),
      variables: { GOOGLE_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: secured }
    })),
    server: {
      emptyReply: now(Fault.failResponse({ code: "NEED_MORE_INPUT", afterChunks: 0 })),
      ignoreTurn: now(Fault.noReply),
      reply: ({ calls = [], text = "" }) =>
        control.nextReply({ text, calls: calls.map(({ arguments: args, name }) => ({ name, arguments: args })) }),
      hear: control.nextTranscript,
      // a reply on this wire has no sign of its own: it has begun when its first part is sent
      hold: now(Fault.hold(Fault.afterSent("serverContent.modelTurn"))),
      release: control.release,
      received: (text) =>
        Effect.asVoid(awaitEntry((entry) => entry.kind === "received" && JSON.stringify(entry.event).includes(text))),
      connections: awaitConnections,
      sendMalformed: now(Fault.malformed(undefined, "not JSON")),
      stall: now(Fault.stall()),
      unstall: control.unstall,
      flood: (messages) => now(...Array.from({ length: messages }, () => Fault.push({ sessionResumptionUpdate: {} }))),
      repeatToolCalls: now(Fault.duplicate("toolCall"))
    },
    failures: [
      { name: "HTTP 400 about the key", when: "connect", cause: refusing(400), reason: "Auth" },
      { name: "HTTP 401", when: "connect", cause: refusing(401), reason: "Auth" },
      { name: "HTTP 403", when: "connect", cause: refusing(403), reason: "Auth" },
      { name: "HTTP 429", when: "connect", cause: refusing(429), reason: "RateLimited" },
      { name: "HTTP 503", when: "connect", cause: refusing(503), reason: "ServerFault" },
      {
        name: "a key that is refused after the handshake",
        when: "connect",
        cause: closing(1008, "API key not valid. Please pass a valid API key."),
        reason: "Auth"
      },
      {
        name: "no quota",
        when: "connect",
        cause: closing(1011, "You exceeded your current quota, please check your plan and billing details."),
        reason: "Quota"
      },
      { name: "a setup that is not understood", when: "connect", cause: closing(1007), reason: "InvalidRequest" },
      { name: "a model that there is not", when: "connect", cause: closing(1008), reason: "InvalidRequest" },
      {
        name: "a drop while connecting",
        when: "connect",
        cause: control.onNextConnection(Fault.drop()),
        reason: "ConnectionLost"
      },
      { name: "a drop", when: "live", cause: now(Fault.drop()), reason: "ConnectionLost" },
      { name: "a close that nobody asked for", when: "live", cause: now(Fault.close(1000)), reason: "ConnectionLost" },
      { name: "a close of the server's fault", when: "live", cause: now(Fault.close(1011)), reason: "ServerFault" },
      { name: "a server that restarts", when: "live", cause: now(Fault.close(1012)), reason: "ServerFault" },
      {
        name: "too much at once",
        when: "live",
        cause: now(Fault.close(1011, "Resource has been exhausted (e.g. check quota).")),
        reason: "RateLimited"
      },
      { name: "the ten minutes", when: "live", cause: now(Fault.expire()), reason: "SessionExpired" }
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
