import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as Redacted from "effect/Redacted"
import { describeProxies } from "../../core/test/support/proxies.ts"
import { GeminiLive } from "../src/index.ts"

describeProxies({
  emulator: GeminiEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones", seed: 1 }),
  protocols: ["http/1.1"],
  configured: GeminiLive.layerFromEnv(),
  variables: (url) => ({ GOOGLE_API_KEY: "key", GOOGLE_GEMINI_BASE_URL: url }),
  withAgent: (url, agent) => GeminiLive.layer({ apiKey: Redacted.make("key"), baseUrl: url, agent })
})
