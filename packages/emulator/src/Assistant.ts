/**
 * The scripted assistant behind every emulator: a pure function from the conversation and the offered tools to what is
 * said and called next. It is a script, not an AI, and says so when it greets.
 *
 * @example
 * const { text, calls } = Assistant.scripted({
 *   history: [{ role: "user", text: "what time is it", images: [] }],
 *   tools: [{ name: "current_time", description: "The time now", parameters: {} }],
 *   toolChoice: "auto", parallelCalls: true, instructions: undefined
 * })
 * // { text: undefined, calls: [{ name: "current_time", arguments: {} }] }
 *
 * @since 0.1.0
 */
import { decide } from "./internal/assistant/decide.ts"
import type { Prompt, Reply } from "./Prompt.ts"

/**
 * Decides what is said and called next.
 *
 * @since 0.1.0
 */
export type Assistant = (prompt: Prompt) => Reply

/**
 * The assistant that follows the script.
 *
 * @since 0.1.0
 */
export const scripted: Assistant = decide
