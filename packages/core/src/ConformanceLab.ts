/**
 * The types of the conformance suite: what the author of a provider brings, and what is done with it.
 *
 * Optional controls are needed only where the provider can do what they are for. Without one, its scenarios pass.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { BidiError, Reason } from "./BidiError.ts"
import type { BidiModel } from "./BidiModel.ts"

/**
 * A reply of the model: text, tool calls, or both.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply {
  readonly text?: string
  readonly calls?: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, unknown> }>
}

/**
 * The server that plays the provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface Server {
  /** Sets the next reply, whatever it is a reply to. Several queue up. Without any, the server may reply what it likes. */
  readonly reply: (reply: Reply) => Effect.Effect<void>
  /** Sets the transcript of the next spoken turn. */
  readonly hear: (text: string) => Effect.Effect<void>
  /** Stops replies where they are, also those that begin later, until `release`. */
  readonly hold: Effect.Effect<void>
  /** Lets replies continue. */
  readonly release: Effect.Effect<void>
  /** Waits until a message with this text has arrived from the client. */
  readonly received: (text: string) => Effect.Effect<void>
  /** Waits until exactly this many connections are open. */
  readonly connections: (count: number) => Effect.Effect<void>
  /**
   * Waits until the client has reported that exactly this many milliseconds of a reply were heard. Needed where a reply can
   * be truncated (`capabilities.truncation`).
   */
  readonly truncated?: (heardMillis: number) => Effect.Effect<void>
  /** Makes the next reply empty. Needed where replies can be. */
  readonly emptyReply?: Effect.Effect<void>
  /** Leaves the next spoken turn without a reply. Needed where the provider does not answer all that it hears. */
  readonly ignoreTurn?: Effect.Effect<void>
  /** Sends every tool call twice from now on. Needed where the provider may do so. */
  readonly repeatToolCalls?: Effect.Effect<void>
  /** Loses the next request for a reply on the open connection. Needed where such requests are messages. */
  readonly loseRequest?: Effect.Effect<void>
  /** Refuses the next update on the open connection. Needed where there are updates (`capabilities.midSessionUpdate`). */
  readonly refuseUpdate?: Effect.Effect<void>
  /** Sends a message that is not JSON on the open connection. */
  readonly sendMalformed?: Effect.Effect<void>
  /** Stops reading from the open connection, and writing to it, until `unstall`. */
  readonly stall?: Effect.Effect<void>
  /** Reads and writes again. */
  readonly unstall?: Effect.Effect<void>
  /** Sends this many messages at once on the open connection. */
  readonly flood?: (messages: number) => Effect.Effect<void>
  /** Sends all messages of the open connection with the same id from now on. Needed where messages have ids. */
  readonly reuseIds?: Effect.Effect<void>
}

/**
 * A failure, and the reason that the adapter has to report for it. With `connect` the next attempt to connect fails, with
 * `live` the open connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly name: string
  readonly when: "connect" | "live"
  readonly cause: Effect.Effect<void>
  readonly reason: Reason["_tag"]
}

/**
 * The adapter behind a proxy, which its configuration names as `HTTPS_PROXY`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proxied {
  readonly model: Layer.Layer<BidiModel, BidiError>
  /** How many tunnels were requested from the proxy. */
  readonly tunnels: () => number
  /** How many connections to the proxy are open. */
  readonly open: () => number
}

/**
 * A provider under test.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lab {
  /** The adapter with its default options: the provider finds the turns. */
  readonly model: Layer.Layer<BidiModel, BidiError>
  /** The adapter with manual turns, where the provider has them. */
  readonly manual: Layer.Layer<BidiModel, BidiError> | undefined
  /**
   * The adapter with a model that says nothing until its tools have finished, and may not hear anything meanwhile. Needed
   * where the provider has one.
   */
  readonly blockingTools?: Layer.Layer<BidiModel, BidiError>
  /** The adapter with a model that does not report speech as it begins and ends. Needed where the provider has one. */
  readonly withoutSpeechEvents?: Layer.Layer<BidiModel, BidiError>
  /**
   * Puts a proxy before the server. With `refuses` it answers with that status instead of opening tunnels, or never. Needed
   * where the adapter opens its own sockets.
   */
  readonly proxied?: (refuses?: number | "never") => Effect.Effect<Proxied, never, Scope.Scope>
  readonly server: Server
  readonly failures: ReadonlyArray<Failure>
}

/**
 * One scenario of the suite.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario {
  readonly name: string
  readonly run: (lab: Lab) => Effect.Effect<void, BidiError, Scope.Scope>
}
