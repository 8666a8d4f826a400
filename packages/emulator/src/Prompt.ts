/**
 * What an assistant is asked and what it replies, in terms that fit every provider.
 *
 * @since 0.1.0
 */

/**
 * An image of the conversation: its media type and its size.
 *
 * @since 0.1.0
 */
export interface Image {
  readonly mediaType: string
  readonly bytes: number
}

/**
 * One entry of the conversation.
 *
 * @since 0.1.0
 */
export type Turn =
  | { readonly role: "user"; readonly text: string; readonly images: ReadonlyArray<Image> }
  | { readonly role: "assistant"; readonly text: string }
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "call"; readonly callId: string; readonly name: string; readonly arguments: string }
  | { readonly role: "result"; readonly callId: string; readonly output: string }

/**
 * A tool that the client offers; `parameters` is its JSON schema.
 *
 * @since 0.1.0
 */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: unknown
}

/**
 * Which tools may be called: those that fit, none, at least one, or always the named one.
 *
 * @since 0.1.0
 */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string }

/**
 * Everything that a reply may depend on.
 *
 * @since 0.1.0
 */
export interface Prompt {
  /** Oldest first. Live conversation and replayed history look the same. */
  readonly history: ReadonlyArray<Turn>
  readonly tools: ReadonlyArray<Tool>
  readonly toolChoice: ToolChoice
  /** Whether a reply may contain several calls. Otherwise the next reply makes the next call. */
  readonly parallelCalls: boolean
  /** Instructions for this reply alone. */
  readonly instructions: string | undefined
}

/**
 * One call of a tool.
 *
 * @since 0.1.0
 */
export interface Call {
  readonly name: string
  readonly arguments: { readonly [key: string]: unknown }
}

/**
 * What is said, if anything, and which tools are called afterwards.
 *
 * @since 0.1.0
 */
export interface Reply {
  readonly text: string | undefined
  readonly calls: ReadonlyArray<Call>
}
