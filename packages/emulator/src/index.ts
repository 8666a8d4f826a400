/**
 * @since 0.1.0
 */
export * as Assistant from "./Assistant.ts"
export * as Emulator from "./Emulator.ts"
export * as Fault from "./Fault.ts"
export * as GeminiEmulator from "./GeminiEmulator.ts"
export * as NovaEmulator from "./NovaEmulator.ts"
export * as OpenAiEmulator from "./OpenAiEmulator.ts"
export * as Pcm from "./Pcm.ts"
export * as Prompt from "./Prompt.ts"
export * as Recogniser from "./Recogniser.ts"
export * as Speech from "./Speech.ts"
export * as Voice from "./Voice.ts"
