/**
 * The scripted assistant behind every emulator: a pure function from the conversation so far, and the tools that are
 * offered, to what is said and called next. It is a script, not an AI, and says so when it greets.
 *
 * @example
 * const { text, calls } = Assistant.reply({
 *   memory: [{ role: "user", text: "what time is it", images: [] }],
 *   tools: [{ name: "current_time", description: "The time now", parameters: {} }],
 *   toolChoice: "auto", parallelCalls: true, request: undefined
 * })
 * // { text: undefined, calls: [{ name: "current_time", arguments: {} }] }
 */
import { decide } from "./internal/assistant/decide.ts"

/** An image as it came: its media type and the number of its bytes. */
export interface Image {
  readonly mediaType: string
  readonly bytes: number
}

/** One thing that happened in the conversation, as the assistant remembers it. */
export type Turn =
  | { readonly role: "user"; readonly text: string; readonly images: ReadonlyArray<Image> }
  | { readonly role: "assistant"; readonly text: string }
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "call"; readonly callId: string; readonly name: string; readonly arguments: string }
  | { readonly role: "result"; readonly callId: string; readonly output: string }

/** A tool that is offered; `parameters` is its JSON schema. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: unknown
}

/** `auto` calls what fits, `none` nothing, `required` always something, a name always that tool. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string }

/** Everything that a reply may depend on. */
export interface Prompt {
  /** Oldest first. Live talk and replayed history look the same here. */
  readonly memory: ReadonlyArray<Turn>
  readonly tools: ReadonlyArray<Tool>
  readonly toolChoice: ToolChoice
  /** When false a reply holds one call at most; the next reply makes the next one. */
  readonly parallelCalls: boolean
  /** What this reply was asked to be, apart from the conversation (the instructions of one response). */
  readonly request: string | undefined
}

/** One call of a tool. */
export interface Call {
  readonly name: string
  readonly arguments: { readonly [key: string]: unknown }
}

/** What is said, if anything, and then called. */
export interface Reply {
  readonly text: string | undefined
  readonly calls: ReadonlyArray<Call>
}

/** Anything that can stand in for the script. */
export type Assistant = (prompt: Prompt) => Reply

/** The script. */
export const reply: Assistant = decide
