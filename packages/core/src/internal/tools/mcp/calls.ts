/**
 * Calls of the tools of an MCP server, in a session that the server may forget.
 */
import type * as McpClient from "effect/ai/McpClient"
import type { McpClientError } from "effect/ai/McpClientError"
import type * as McpSchema from "effect/ai/McpSchema"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { textOf } from "./results.ts"

type Client = McpClient.McpClient
type Input = Record<string, unknown>

/** Calls a tool. Succeeds and fails with the text of its result. */
export type Call = (tool: McpSchema.Tool, input: Input) => Effect.Effect<string, string>

const calling =
  (
    callTool: (request: {
      readonly tool: McpSchema.Tool
      readonly arguments: Input
    }) => Effect.Effect<McpSchema.CallToolResult, McpClientError>,
    onForgotten: Call
  ): Call =>
  (tool, input) =>
    Effect.matchEffect(callTool({ tool, arguments: input }), {
      onFailure: (error) => (isForgotten(error) ? onForgotten(tool, input) : Effect.fail(messageOf(error))),
      onSuccess: (result) => (result.isError === true ? Effect.fail(textOf(result)) : Effect.succeed(textOf(result)))
    })

// By the specification, a server that has forgotten the session answers 404. Servers made after the example of the
// TypeScript SDK answer 400 and "No valid session ID provided". In both cases the tool was not called.
const isForgotten = ({ reason }: McpClientError): boolean =>
  reason._tag === "ClosedError"
    ? reason.sessionExpired === true
    : reason._tag === "HttpError" && reason.status === 400 && /\bsession\b/i.test(reason.description ?? "")

const messageOf = (error: unknown): string => {
  const { reason } = error as Partial<McpClientError>
  const message = reason?.message ?? (Predicate.hasProperty(error, "message") ? error.message : undefined)
  return Predicate.isString(message) ? message : "The request to the MCP server failed."
}

const failForgotten: Call = () =>
  Effect.logWarning(
    "an MCP server has forgotten its session: give BidiTools.mcp the effect that makes the client, so that it can open another"
  ).pipe(Effect.andThen(Effect.fail("The MCP server has forgotten the session.")))

/** Calls of a client. When the server has forgotten its session, they fail. */
export const ofClient = (client: Client): Call => calling((request) => client.callTool(request), failForgotten)

interface Session {
  readonly client: Client
  readonly scope: Scope.Closeable
  /** How many calls wait for their results. */
  running: number
  /** The server has forgotten it, and another has taken its place. */
  replaced: boolean
}

/** Calls in a session that is opened by `open`, and opened again when the server has forgotten it. */
export const ofSessions = Effect.fnUntraced(function* <E, R>(open: Effect.Effect<Client, E, R>) {
  const context = yield* Effect.context<R | Scope.Scope>()
  const parent = yield* Effect.scope
  const oneByOne = Semaphore.makeUnsafe(1)

  const opened = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(parent)
      const client = yield* restore(Scope.provide(open, scope)).pipe(
        Effect.provideContext(context as never),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      return { client, scope, running: 0, replaced: false }
    })
  ) as Effect.Effect<Session, E>

  let current = yield* opened
  const { client } = current

  const close = ({ scope }: Session) => Effect.forkIn(Scope.close(scope, Exit.void), parent)

  // A session that was replaced is closed when the last of its calls has ended: some may still get a result.
  const within = <A, E>(session: Session, effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      session.running++
      return Effect.ensuring(
        effect,
        Effect.suspend(() => (--session.running === 0 && session.replaced ? close(session) : Effect.void))
      )
    })

  // Several calls may find that their session is forgotten; one of them opens the next.
  const replacing = (forgotten: Session) =>
    oneByOne.withPermit(
      Effect.suspend(() =>
        current !== forgotten
          ? Effect.succeed(current)
          : Effect.flatMap(opened, (next) => {
              current = next
              forgotten.replaced = true
              return Effect.as(forgotten.running === 0 ? close(forgotten) : Effect.void, next)
            })
      )
    )

  const inSession = (session: Session, onForgotten: Call): Call =>
    calling((request) => within(session, session.client.callTool(request)), onForgotten)

  const call: Call = (tool, input) =>
    Effect.suspend(() => {
      const session = current
      const again: Call = (tool, input) =>
        Effect.matchEffect(replacing(session), {
          onFailure: (error) =>
            Effect.fail(`The session with the MCP server could not be opened again: ${messageOf(error)}`),
          onSuccess: (next) => inSession(next, failForgotten)(tool, input)
        })
      return inSession(session, again)(tool, input)
    })

  return { client, call }
})
