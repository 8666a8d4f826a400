import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import { describeProxies } from "../../core/test/support/proxies.ts"
import { NovaSonic } from "../src/index.ts"
import { keys } from "./support/line.ts"

describeProxies({
  emulator: NovaEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones", seed: 1 }),
  protocols: ["h2"],
  configured: NovaSonic.layerFromEnv({ credentials: keys }),
  variables: (url) => ({ AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url }),
  withAgent: (url, agent) => NovaSonic.layer({ region: "us-east-1", credentials: keys, endpoint: url, agent })
})
