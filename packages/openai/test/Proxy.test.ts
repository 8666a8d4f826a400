import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import * as Redacted from "effect/Redacted"
import { describeProxies } from "../../core/test/support/proxies.ts"
import { OpenAiRealtime } from "../src/index.ts"

describeProxies({
  emulator: OpenAiEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones", seed: 1 }),
  protocols: ["http/1.1"],
  configured: OpenAiRealtime.layerFromEnv(),
  variables: (url) => ({ OPENAI_API_KEY: "key", OPENAI_BASE_URL: url }),
  withAgent: (url, agent) => OpenAiRealtime.layer({ apiKey: Redacted.make("key"), baseUrl: url, agent })
})
