/** What every provider has to do, through the real SDK against the emulator. */
import * as BidiConformance from "@effect-bidi/core/BidiConformance"
import * as Fault from "@effect-bidi/emulator/Fault"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { NovaSonic } from "../src/index.ts"
import { keys } from "./support/line.ts"
import { proxied } from "../../core/test/support/proxy.ts"

/** `speed`: how much faster than they are heard replies come. */
const makeLab = Effect.fnUntraced(function* (speed: number) {
  const { awaitConnections, awaitEntry, control, url } = yield* NovaEmulator.make({
    speed,
    voice: "tones",
    seed: 1,
    log: { audio: true }
  })
  const refusing = (status: number, code?: string) =>
    control.onNextConnection(Fault.refuse(status, code === undefined ? {} : { code }))
  const now = (...faults: ReadonlyArray<Fault.Fault>) => Effect.asVoid(control.inject(...faults))
  const exception = (type: string, message: string) => now(Fault.exception(type, message))
  return {
    model: NovaSonic.layer({ region: "us-east-1", credentials: keys, endpoint: url }),
    manual: undefined,
    proxied: proxied(url, ["h2"], (secured) => ({
      layer: NovaSonic.layerFromEnv({ credentials: keys }),
      variables: { AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: secured }
    })),
    server: {
      reply: ({ calls = [], text = "" }) =>
        control.nextReply({ text, calls: calls.map(({ arguments: args, name }) => ({ name, arguments: args })) }),
      hear: control.nextTranscript,
      // a reply on this wire has no sign of its own: it has begun when its first words are announced
      hold: now(Fault.hold(Fault.afterSent("textOutput"))),
      release: control.release,
      received: (text) =>
        Effect.asVoid(awaitEntry((entry) => entry.kind === "received" && JSON.stringify(entry.event).includes(text))),
      connections: awaitConnections,
      sendMalformed: now(Fault.malformed(undefined, "not JSON")),
      stall: now(Fault.stall()),
      unstall: control.unstall,
      flood: (messages) => now(...Array.from({ length: messages }, () => Fault.push({ event: { somethingNew: {} } }))),
      repeatToolCalls: now(Fault.duplicate("toolUse"))
    },
    failures: [
      { name: "HTTP 401", when: "connect", cause: refusing(401), reason: "Auth" },
      { name: "HTTP 403", when: "connect", cause: refusing(403), reason: "Auth" },
      { name: "expired keys", when: "connect", cause: refusing(403, "ExpiredTokenException"), reason: "Auth" },
      { name: "no quota", when: "connect", cause: refusing(400, "ServiceQuotaExceededException"), reason: "Quota" },
      { name: "an invalid request", when: "connect", cause: refusing(400), reason: "InvalidRequest" },
      { name: "HTTP 429", when: "connect", cause: refusing(429), reason: "RateLimited" },
      { name: "HTTP 503", when: "connect", cause: refusing(503), reason: "ServerFault" },
      { name: "a drop", when: "live", cause: now(Fault.drop()), reason: "ConnectionLost" },
      { name: "an end that nobody asked for", when: "live", cause: now(Fault.end()), reason: "ConnectionLost" },
      { name: "a reset", when: "live", cause: now(Fault.resetStream(0)), reason: "ConnectionLost" },
      { name: "half a frame", when: "live", cause: now(Fault.truncateFrame()), reason: "ConnectionLost" },
      { name: "a frame of 1.2 GB", when: "live", cause: now(Fault.wrongLength(1_200_000_000)), reason: "ServerFault" },
      { name: "the eight minutes", when: "live", cause: now(Fault.expire()), reason: "SessionExpired" },
      { name: "throttling", when: "live", cause: exception("throttlingException", "slow"), reason: "RateLimited" },
      {
        name: "silence",
        when: "live",
        cause: exception("validationException", "Timed out waiting for input events"),
        reason: "IdleTimeout"
      },
      {
        name: "a fault that is left open",
        when: "live",
        cause: now(Fault.exception("modelStreamErrorException", "no", { leaveOpen: true })),
        reason: "ServerFault"
      }
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
