/**
 * Each provider: its emulator, the real SDK against it, and how its wire tells what it used.
 */
import { NovaSonic } from "@effect-bidi/bedrock"
import type { BidiError, BidiModel } from "@effect-bidi/core"
import { type Emulator, GeminiEmulator, NovaEmulator, OpenAiEmulator } from "@effect-bidi/emulator"
import { GeminiLive } from "@effect-bidi/google"
import { OpenAiRealtime } from "@effect-bidi/openai"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Provider } from "./plan.ts"

export interface Lab {
  readonly emulate: (options: Emulator.Options) => Effect.Effect<Emulator.Emulator, Emulator.ListenError, Scope.Scope>
  readonly model: (url: string) => Layer.Layer<BidiModel.BidiModel, BidiError.BidiError>
  /** The tokens that a message of the provider counts. */
  readonly usage: (event: Json) => number | undefined
  /** How long the provider listens into the silence after a phrase, in milliseconds. */
  readonly pause: number
  readonly images: boolean
}

export type Json = Readonly<Record<string, any>>

const key = Redacted.make("key")

export const labs: Record<Provider, Lab> = {
  openai: {
    emulate: OpenAiEmulator.make,
    model: (url) => OpenAiRealtime.layer({ apiKey: key, baseUrl: url }),
    usage: (event) => event.response?.usage?.total_tokens ?? event.usage?.total_tokens,
    pause: 600,
    images: true
  },
  google: {
    emulate: GeminiEmulator.make,
    model: (url) => GeminiLive.layer({ apiKey: key, baseUrl: url }),
    usage: (event) => event.usageMetadata?.totalTokenCount,
    pause: 600,
    images: true
  },
  bedrock: {
    emulate: NovaEmulator.make,
    model: (url) =>
      NovaSonic.layer({
        region: "us-east-1",
        credentials: { accessKeyId: Redacted.make("AKIDEXAMPLE"), secretAccessKey: Redacted.make("secret") },
        endpoint: url,
        endpointing: "HIGH"
      }),
    usage: (event) => {
      const delta = event.event?.usageEvent?.details?.delta
      if (delta === undefined) return undefined
      const { input, output } = delta
      return input.speechTokens + input.textTokens + output.speechTokens + output.textTokens
    },
    pause: 1600,
    images: false
  }
}
