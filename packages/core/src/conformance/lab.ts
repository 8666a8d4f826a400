/**
 * What the author of a provider brings, and what is done with it.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { BidiError, Reason } from "../BidiError.ts"
import type { BidiModel } from "../BidiModel.ts"

/**
 * The next reply of the model, whatever it is a reply to.
 *
 * @category models
 */
export interface Reply {
  readonly text?: string
  readonly calls?: ReadonlyArray<{ readonly name: string; readonly arguments: Record<string, unknown> }>
}

/**
 * The server that plays the provider.
 *
 * @category models
 */
export interface Server {
  /** Decides the next reply; several calls queue up. Without any the server may say what it likes. */
  readonly reply: (reply: Reply) => Effect.Effect<void>
  /** Decides what the next spoken turn is understood as. */
  readonly hear: (text: string) => Effect.Effect<void>
  /** Replies stop where they are, also those that begin later, until `release`. */
  readonly hold: Effect.Effect<void>
  readonly release: Effect.Effect<void>
  /** Waits until something that contains this text has arrived from the client. */
  readonly received: (text: string) => Effect.Effect<void>
  /** Waits until just that many connections are open. */
  readonly connections: (count: number) => Effect.Effect<void>
  /**
   * Waits until it was told that just so many milliseconds of a reply were heard. Needed where a model can be told
   * (`capabilities.truncation`).
   */
  readonly truncated?: (heard: number) => Effect.Effect<void>
  /** The next turn of the model is over without anything in it. Needed where the wire has such turns. */
  readonly silence?: Effect.Effect<void>
  /** What is said next is heard, and never answered. Needed where the provider does not answer all that it hears. */
  readonly ignore?: Effect.Effect<void>
  /** Calls of tools arrive twice from now on. Needed where the wire can repeat itself. */
  readonly stutter?: Effect.Effect<void>
  /**
   * The next request for a reply is lost on the way to the open connection. Needed where replies are asked for by a message
   * of their own.
   */
  readonly loseRequest?: Effect.Effect<void>
  /** The open connection refuses the next change. Needed where one can be changed (`capabilities.midSessionUpdate`). */
  readonly refuseChange?: Effect.Effect<void>
  /** From now on all messages of the open connection have one id. Needed where messages have ids. */
  readonly nameAlike?: Effect.Effect<void>
}

/**
 * Something that goes wrong, and the reason it has to be told as. `connect`: the next connection fails so; `live`: the
 * connection that is open then fails so.
 *
 * @category models
 */
export interface Failure {
  readonly name: string
  readonly when: "connect" | "live"
  readonly cause: Effect.Effect<void>
  readonly reason: Reason["_tag"]
}

/**
 * The adapter behind a proxy, which `HTTPS_PROXY` of its configuration names.
 *
 * @category models
 */
export interface Proxied {
  readonly model: Layer.Layer<BidiModel, BidiError>
  /** How many tunnels the proxy was asked for. */
  readonly asked: () => number
  /** How many connections to the proxy are open. */
  readonly open: () => number
}

/**
 * A provider under test.
 *
 * @category models
 */
export interface Lab {
  /** The adapter, with its defaults: turns are found by the provider. */
  readonly model: Layer.Layer<BidiModel, BidiError>
  /** The same with manual turns, where the provider has them. */
  readonly manual: Layer.Layer<BidiModel, BidiError> | undefined
  /**
   * The same with a model that says nothing until its tools have answered, and may not hear anything meanwhile. Needed where
   * the provider has one.
   */
  readonly blocking?: Layer.Layer<BidiModel, BidiError>
  /** The same with a model that does not tell of speech as it begins and ends. Needed where the provider has one. */
  readonly deaf?: Layer.Layer<BidiModel, BidiError>
  /**
   * Puts a proxy before the server, which answers with the status `refuses` instead of making tunnels, or `"never"`. Needed
   * where the adapter dials by itself.
   */
  readonly proxied?: (refuses?: number | "never") => Effect.Effect<Proxied, never, Scope.Scope>
  readonly server: Server
  readonly failures: ReadonlyArray<Failure>
}

/**
 * @category models
 */
export interface Scenario {
  readonly name: string
  readonly run: (lab: Lab) => Effect.Effect<void, BidiError, Scope.Scope>
}
