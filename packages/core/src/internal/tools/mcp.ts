/**
 * The tools of an MCP server, as tools that a voice agent can live with.
 *
 * `McpClient.toolkit` of effect/ai 4.1 fails a call whose result holds a picture, brings the first text of a failure only,
 * refuses all tools for one name that models do not take, and never gets over a session that the server has forgotten.
 * This goes when it no longer does.
 */
import type * as McpClient from "effect/ai/McpClient"
import type { McpClientError } from "effect/ai/McpClientError"
import type * as McpSchema from "effect/ai/McpSchema"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

export type McpTool = Tool.Tool<
  string,
  {
    readonly parameters: typeof Schema.Unknown
    readonly success: typeof Schema.String
    readonly failure: typeof Schema.String
    readonly failureMode: "return"
  }
>

export type McpToolkit = Toolkit.WithHandler<Record<string, McpTool>>

export interface McpOptions {
  /** Put before the name of every tool, such as `files_`, where several servers serve one agent. */
  readonly prefix?: string
}

type Client = McpClient.McpClient
type Ask = (request: {
  readonly tool: McpSchema.Tool
  readonly arguments: Record<string, unknown>
}) => Effect.Effect<McpSchema.CallToolResult, McpClientError>

interface Session {
  readonly client: Client
  readonly scope: Scope.Closeable
  /** How many calls wait for their answers in it. */
  running: number
  /** The server has forgotten it, and another has taken its place. */
  over: boolean
}

type Call = (tool: McpSchema.Tool, input: Record<string, unknown>) => Effect.Effect<string, string>

export const toolkit = Effect.fnUntraced(function* <E, R>(
  client: Client | Effect.Effect<Client, E, R>,
  options: McpOptions = {}
) {
  return yield* Effect.isEffect(client)
    ? renewed(client, options)
    : of(
        client,
        calling((request) => client.callTool(request), hint),
        options
      )
})

// ---------------------------------------------------------------------------------------------------------------------
// a client, and one that follows it
// ---------------------------------------------------------------------------------------------------------------------

const renewed = Effect.fnUntraced(function* <E, R>(open: Effect.Effect<Client, E, R>, options: McpOptions) {
  const context = yield* Effect.context<R | Scope.Scope>()
  const parent = yield* Effect.scope
  const one = Semaphore.makeUnsafe(1)

  const opened = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(parent)
      const client = yield* restore(Scope.provide(open, scope)).pipe(
        Effect.provideContext(context as never),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      return { client, scope, running: 0, over: false }
    })
  ) as Effect.Effect<Session, E>

  let current = yield* opened

  const leave = ({ scope }: Session) => Effect.forkIn(Scope.close(scope, Exit.void), parent)

  // A session that is over is left when the last of its calls has ended: some may still be answered.
  const within = <A, E>(session: Session, calling: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      session.running++
      return Effect.ensuring(
        calling,
        Effect.suspend(() => (--session.running === 0 && session.over ? leave(session) : Effect.void))
      )
    })

  // Several calls may find that they were forgotten; one of them opens the next session.
  const after = (forgotten: Session) =>
    one.withPermit(
      Effect.suspend(() =>
        current !== forgotten
          ? Effect.succeed(current)
          : Effect.flatMap(opened, (next) => {
              current = next
              forgotten.over = true
              return Effect.as(forgotten.running === 0 ? leave(forgotten) : Effect.void, next)
            })
      )
    )

  const asking =
    (session: Session): Ask =>
    (request) =>
      within(session, session.client.callTool(request))

  const call: Call = (tool, input) =>
    Effect.suspend(() => {
      const session = current
      return calling(asking(session), () =>
        Effect.matchEffect(after(session), {
          onFailure: (error) =>
            Effect.fail(`The session with the MCP server could not be opened anew: ${words(error)}`),
          onSuccess: (next) => calling(asking(next), hint)(tool, input)
        })
      )(tool, input)
    })

  return yield* of(current.client, call, options)
})

const hint = (): Effect.Effect<never, string> =>
  Effect.logWarning(
    "an MCP server has forgotten its session: give BidiTools.mcp the effect that makes the client, and it is opened anew"
  ).pipe(Effect.andThen(Effect.fail("The MCP server has forgotten the session.")))

// ---------------------------------------------------------------------------------------------------------------------
// calls
// ---------------------------------------------------------------------------------------------------------------------

const calling =
  (
    ask: Ask,
    onForgotten: (tool: McpSchema.Tool, input: Record<string, unknown>) => Effect.Effect<string, string>
  ): Call =>
  (tool, input) =>
    Effect.matchEffect(ask({ tool, arguments: input }), {
      onFailure: (error) => (isForgotten(error) ? onForgotten(tool, input) : Effect.fail(words(error))),
      onSuccess: (result) => (result.isError === true ? Effect.fail(inWords(result)) : Effect.succeed(inWords(result)))
    })

// The server did not take the call. By the specification it answers 404; servers made after the example of the
// TypeScript SDK answer 400 and "No valid session ID provided".
const isForgotten = ({ reason }: McpClientError): boolean =>
  reason._tag === "ClosedError"
    ? reason.sessionExpired === true
    : reason._tag === "HttpError" && reason.status === 400 && /\bsession\b/i.test(reason.description ?? "")

const words = (error: unknown): string => {
  const { reason } = error as Partial<McpClientError>
  const message = reason?.message ?? (Predicate.hasProperty(error, "message") ? error.message : undefined)
  return Predicate.isString(message) ? message : "The MCP server could not be asked."
}

/** All of a result that can be said, and what is left out. */
export const inWords = ({ content, structuredContent }: McpSchema.CallToolResult): string => {
  const parts = content.map((block) => textOf(block) ?? `[left out: ${nameOf(block)}]`)
  const silent = content.every((block) => textOf(block) === undefined)
  if (silent && structuredContent !== undefined) parts.unshift(JSON.stringify(structuredContent))
  return parts.join("\n")
}

const textOf = (block: McpSchema.ContentBlock): string | undefined => {
  if (block.type === "text") return block.text
  if (block.type === "resource") return "text" in block.resource ? block.resource.text : undefined
  if (block.type !== "resource_link") return undefined
  const link = `${block.title ?? block.name}: ${block.uri}`
  return block.description === undefined ? link : `${link}\n${block.description}`
}

const nameOf = (block: McpSchema.ContentBlock): string => {
  if (block.type === "image") return `a picture (${block.mimeType})`
  if (block.type === "audio") return `a recording (${block.mimeType})`
  return block.type === "resource" ? `the data of ${block.resource.uri}` : block.type
}

// ---------------------------------------------------------------------------------------------------------------------
// tools
// ---------------------------------------------------------------------------------------------------------------------

const of = Effect.fnUntraced(function* (client: Client, call: Call, { prefix = "" }: McpOptions) {
  const remote = yield* client.listTools()
  const names = namesFor(remote.map(({ name }) => prefix + name))
  const tools = remote.map((tool, i) =>
    Tool.dynamic(names[i]!, {
      parameters: tool.inputSchema,
      description: tool.description,
      success: Schema.String,
      failure: Schema.String,
      failureMode: "return"
    }).annotate(Tool.Strict, false)
  )
  const handlers = Object.fromEntries(
    remote.map((tool, i) => [
      names[i]!,
      (input: unknown) =>
        Predicate.isReadonlyObject(input)
          ? call(tool, input as Record<string, unknown>)
          : Effect.fail("The arguments have to be a JSON object.")
    ])
  )
  const kit = Toolkit.make(...tools)
  return (yield* kit.pipe(Effect.provideContext(yield* kit.toHandlers(handlers as never)))) as unknown as McpToolkit
})

const LONGEST = 64

/** Names that models take (letters, digits, `_` and `-`, at most 64), each different; good ones stay as they are. */
export const namesFor = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isGood = (name: string) => /^[a-zA-Z0-9_-]{1,64}$/.test(name)
  const taken = new Set<string>()
  const good = names.map((name) => {
    if (!isGood(name) || taken.has(name)) return undefined
    taken.add(name)
    return name
  })
  return names.map((name, i) => {
    if (good[i] !== undefined) return good[i]
    const stem = name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, LONGEST) || "tool"
    let free = stem
    for (let n = 2; taken.has(free); n++) free = `${stem.slice(0, LONGEST - `_${n}`.length)}_${n}`
    taken.add(free)
    return free
  })
}
