/**
 * The providers that the program can emulate.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Emulator from "../../Emulator.ts"
import * as Fault from "../../Fault.ts"
import * as GeminiEmulator from "../../GeminiEmulator.ts"
import * as NovaEmulator from "../../NovaEmulator.ts"
import * as OpenAiEmulator from "../../OpenAiEmulator.ts"
import type { TraceFormat } from "./trace.ts"
import { HttpRequests } from "../server/httpRequests.ts"
import { respond } from "./httpControl.ts"
import { format as gemini } from "./geminiTrace.ts"
import { format as nova } from "./novaTrace.ts"
import { format as openAi } from "./openaiTrace.ts"

const controlled =
  (make: Offer["make"]): Offer["make"] =>
  (options) =>
    Effect.provideService(make(options), HttpRequests, respond)

export interface Offer {
  readonly name: string
  readonly make: (options: Emulator.Options) => Effect.Effect<Emulator.Emulator, Emulator.ListenError, Scope.Scope>
  readonly format: TraceFormat
  /** What to set in a client, and the full address. */
  readonly hint: (url: string) => string
  /** The type of the messages with audio. */
  readonly sound: string
  /** Ends a connection with a code. */
  readonly close: (code: number | undefined, trigger: Fault.Trigger) => Fault.Fault
}

const close: Offer["close"] = (code, trigger) => Fault.close(code ?? 1011, "requested by a fault", trigger)

const socketOf = (url: string): string => url.replace("http", "ws")

export const providers: { readonly [name in "openai" | "google" | "bedrock"]: Offer } = {
  openai: {
    name: "OpenAI Realtime",
    make: controlled(OpenAiEmulator.make),
    format: openAi,
    hint: (url) => `OPENAI_BASE_URL=${url} OPENAI_API_KEY=any, or ${socketOf(url)}/realtime?model=gpt-realtime-2.1`,
    sound: "response.output_audio.delta",
    close
  },
  google: {
    name: "Gemini Live",
    make: controlled(GeminiEmulator.make),
    format: gemini,
    hint: (url) =>
      `GOOGLE_GEMINI_BASE_URL=${url} GEMINI_API_KEY=any, or ${socketOf(url)}/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=any`,
    sound: "serverContent.modelTurn",
    close
  },
  bedrock: {
    name: "Amazon Nova Sonic",
    make: controlled(NovaEmulator.make),
    format: nova,
    hint: (url) =>
      `AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${url} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any, HTTP/2 without TLS`,
    sound: "audioOutput",
    // INTERNAL_ERROR
    close: (code, trigger) => Fault.resetStream(code ?? 2, trigger)
  }
}
