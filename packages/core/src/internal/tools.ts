/**
 * The tool calls of the model. A fiber a call; on every way out exactly one output; the calls that a model made
 * together are answered together. Calls outlive the connection that asked for them, not the conversation.
 */
import * as AiError from "effect/ai/AiError"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Command, ModelEvent, ToolCall, ToolDefinition, ToolOutput } from "../BidiModel.ts"
import { type Conversation, CurrentConversation } from "../CurrentConversation.ts"
import type { Rooms } from "./rooms.ts"

type Calls = Extract<ModelEvent, { readonly _tag: "ToolCalls" }>
type Answer = Pick<ToolOutput, "result" | "isFailure">

/** A toolkit with its handlers. What the handlers need is in the context of the conversation. */
export interface Kit {
  readonly tools: Record<string, Tool.Any>
  readonly handle: (
    name: string,
    params: unknown,
    id: string
  ) => Effect.Effect<Stream.Stream<Tool.HandlerResult<Tool.Any>, unknown>, unknown>
}

export interface Tools {
  readonly call: (calls: Calls) => void
  /** The model no longer wants these answers. */
  readonly cancel: (ids: ReadonlyArray<string>) => void
}

/** Calls to be answered together, and the connection that wants the answer. */
interface Group {
  readonly generation: number
  readonly calls: ReadonlyArray<ToolCall>
}

/** An output, and the connection that was current when it came: the history of any later one holds it. */
interface Settled {
  readonly output: ToolOutput
  readonly generation: number
}

/** The tools as a model is told about them. */
export const definitions = (kit: Kit): ReadonlyArray<ToolDefinition> =>
  Object.values(kit.tools).map((tool) => ({
    name: tool.name,
    description: Tool.getDescription(tool),
    parameters: Tool.getJsonSchema(tool)
  }))

export const make = Effect.fnUntraced(function* (rooms: Rooms, kit: Kit) {
  const { fanout, generation, memory, outbox, turn } = rooms
  const conversation = yield* CurrentConversation
  const settled = new Map<string, Settled>()
  const asked = new Map<string, number>()
  const open = new Set<Group>()
  const ended = new Set<string>() // calls that asked for the end of the conversation
  const fibers = yield* FiberMap.make<string, Answer, unknown>()
  const fork = yield* FiberMap.runtime(fibers)()

  const settle = (call: ToolCall, responseId: string, input: Schema.Json, since: number, answer: Answer) => {
    const { id, name } = call
    settled.set(id, { output: { id, name, ...answer }, generation: generation.current })
    memory.put({ _tag: "ToolCall", id, responseId, name, input, output: answer })
    const late = since === generation.current ? {} : { late: true }
    fanout.emit({ _tag: "ToolResult", id, name, ...answer, ...late })
    for (const group of open) reply(group)
    turn.toolEnded()
  }

  // once every call of a group has its output, the model gets them all, and is asked for one reply
  const reply = (group: Group) => {
    if (!group.calls.every((call) => settled.has(call.id)) || !open.delete(group)) return
    const outputs = group.calls.map((call) => settled.get(call.id)!.output)
    outbox.offerUnsafe(
      { _tag: "ToolOutputs", outputs },
      {
        bound: { generation: group.generation, otherwise: (later) => asContext(group, later) },
        onSent: turn.awaitReply
      }
    )
  }

  // A connection that does not know the calls is told the outputs in words, unless its history has them.
  const asContext = (group: Group, later: number): Command => {
    const news = group.calls.map((call) => settled.get(call.id)!).filter((one) => one.generation >= later)
    if (news.length === 0) return { _tag: "Respond" }
    const text = news.map(({ output }) => {
      const outcome = output.isFailure ? "failed" : "finished"
      return `The tool ${output.name}, called earlier, has ${outcome}: ${JSON.stringify(output.result)}`
    })
    return { _tag: "Note", text: text.join("\n"), respond: true }
  }

  const start = (call: ToolCall, responseId: string, since: number) => {
    const { id, name } = call
    const parsed = parse(call.arguments)
    const input = Result.getOrElse(parsed, () => call.arguments)
    turn.toolStarted()
    memory.put({ _tag: "ToolCall", id, responseId, name, input })
    fanout.emit({ _tag: "ToolUse", id, name, input, responseId })
    const work = Result.isFailure(parsed)
      ? Effect.succeed(failed(`The arguments are not valid JSON: ${parsed.failure}`))
      : handle(call, parsed.success)
    fork(
      id,
      work.pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => settle(call, responseId, input, since, answerOf(exit, ended.has(id))))
        ),
        Effect.tap(({ isFailure }) =>
          Effect.logDebug(`the tool ${name} (${id}) has ${isFailure ? "failed" : "finished"}`)
        ),
        Effect.tapCause((cause) => Effect.logWarning(`the tool ${name} (${id}) did not end well`, cause))
      )
    )
  }

  const handle = Effect.fnUntraced(function* (call: ToolCall, params: unknown) {
    const { id, name } = call
    yield* Effect.logDebug(`the tool ${name} (${id}) begins`)
    if (!Object.hasOwn(kit.tools, name)) {
      const names = Object.keys(kit.tools).join(", ")
      return failed(`There is no tool "${name}". The tools are: ${names === "" ? "none" : names}.`)
    }
    let last: Answer = failed("The tool ended without a result.")
    const stop: Conversation["stop"] = (reason) =>
      Effect.andThen(
        Effect.sync(() => ended.add(id)),
        conversation.stop(reason)
      )
    yield* kit.handle(name, params, id).pipe(
      Stream.unwrap,
      Stream.provideService(CurrentConversation, { ...conversation, stop }),
      Stream.runForEach((result) =>
        Effect.sync(() => {
          if (result.preliminary) {
            fanout.emit({ _tag: "ToolProgress", id, name, value: toJson(result.encodedResult) })
          } else {
            last = answerOfResult(result)
          }
        })
      )
    )
    return last
  })

  return {
    call: ({ calls, responseId }) => {
      const since = generation.current
      const fresh = calls.filter((call) => asked.get(call.id) !== since)
      if (fresh.length === 0) return
      const group: Group = { generation: since, calls: fresh }
      open.add(group)
      for (const call of fresh) {
        const known = asked.has(call.id)
        asked.set(call.id, since)
        // a call that is repeated on a new connection runs once, and has one output
        if (!known) start(call, responseId, since)
      }
      reply(group)
    },
    cancel: (ids) => {
      for (const group of open) {
        const calls = group.calls.filter((call) => !ids.includes(call.id))
        if (calls.length === group.calls.length) continue
        open.delete(group)
        if (calls.length > 0) open.add({ ...group, calls })
      }
      for (const id of ids) Option.getOrUndefined(FiberMap.getUnsafe(fibers, id))?.interruptUnsafe()
    }
  } satisfies Tools
})

const failed = (message: string): Answer => ({ result: message, isFailure: true })

const parse = (text: string): Result.Result<Schema.Json, string> =>
  Result.try({
    try: () => (text.trim() === "" ? {} : (Tool.unsafeSecureJsonParse(text) as Schema.Json)),
    catch: (error) => (error as SyntaxError).message
  })

const isJson = Schema.is(Schema.Json)

// what a model is given has to be JSON, whatever a schema left of it
const toJson = (value: unknown): Schema.Json =>
  isJson(value) ? value : ((JSON.parse(JSON.stringify(value) ?? "null") ?? null) as Schema.Json)

const answerOfResult = (result: Tool.HandlerResult<Tool.Any>): Answer => {
  if (result.isFailure) return failure(result.result, result.encodedResult)
  if (result.modelOutput !== undefined) {
    return { result: Prompt.toolModelOutputToText(result.modelOutput), isFailure: false }
  }
  return { result: toJson(result.encodedResult), isFailure: false }
}

// What is wrong with the arguments helps the model to try again; its own failures are told as the tool declared them.
const failure = (error: unknown, encoded: unknown): Answer =>
  AiError.isAiError(error) ? failed(error.reason.message) : { result: toJson(encoded), isFailure: true }

const answerOf = (exit: Exit.Exit<Answer, unknown>, endedIt: boolean): Answer => {
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) {
    // a tool that ends the conversation may not live to see its own end
    if (endedIt) return { result: "The conversation has ended.", isFailure: false }
    return failed("The tool was stopped before it finished.")
  }
  const error = Result.getOrUndefined(Cause.findError(exit.cause))
  if (error === undefined) return failed("The tool failed unexpectedly.") // a defect is for the log, not for the model
  if (AiError.isAiError(error)) return failed(error.reason.message)
  const message = Predicate.hasProperty(error, "message") ? error.message : error
  return failed(Predicate.isString(message) ? message : "The tool failed.")
}
