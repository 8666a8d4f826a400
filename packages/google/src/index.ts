/**
 * Gemini Live for effect-bidi.
 *
 * @since 0.1.0
 */
export * as GeminiLive from "./GeminiLive.ts"
