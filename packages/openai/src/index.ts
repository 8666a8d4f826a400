/**
 * OpenAI Realtime for effect-bidi.
 *
 * @since 0.1.0
 */
export * as OpenAiRealtime from "./OpenAiRealtime.ts"
