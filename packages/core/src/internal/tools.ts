/**
 * The tool calls of the model. A fiber a call; on every way out exactly one output; the calls that a model made
 * together are answered together. Calls outlive the connection that asked for them, not the conversation.
 */
import * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Command, ModelEvent, ToolCall, ToolDefinition, ToolOutput } from "../BidiModel.ts"
import * as BidiTool from "../BidiTool.ts"
import { type Conversation, CurrentConversation } from "../CurrentConversation.ts"
import { type Answer, failed, ofExit, parse, STILL_WORKING } from "./answers.ts"
import type { Approvals } from "./approvals.ts"
import type { Rooms } from "./rooms.ts"
import * as ToolRun from "./toolRun.ts"

export type { Kit } from "./toolRun.ts"

type Calls = Extract<ModelEvent, { readonly _tag: "ToolCalls" }>

export interface Tools {
  readonly call: (calls: Calls) => void
  /** The model no longer wants these answers. */
  readonly cancel: (ids: ReadonlyArray<string>) => void
  /** The application calls a tool itself. */
  readonly callDirectly: (name: string, input: Schema.Json, record: boolean) => Effect.Effect<Answer>
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
export const definitions = (kit: ToolRun.Kit): ReadonlyArray<ToolDefinition> =>
  Object.values(kit.tools).map((tool) => ({
    name: tool.name,
    description: Tool.getDescription(tool),
    parameters: Tool.getJsonSchema(tool)
  }))

/** `kitNow` answers the tools of the moment; a call runs with those of the moment it was made in. */
export const make = Effect.fnUntraced(function* (rooms: Rooms, kitNow: () => ToolRun.Kit, approvals: Approvals) {
  const { fanout, generation, memory, outbox, turn } = rooms
  const conversation = yield* CurrentConversation
  const { run, runApproved } = yield* ToolRun.make(rooms, approvals)
  const settled = new Map<string, Settled>()
  const asked = new Map<string, number>() // the last connection that asked for a call
  const slow = new Set<string>() // calls that take longer than the model is to wait
  const promised = new Set<string>() // calls that the model was answered without a result
  const cancellable = new Set<string>() // calls that an interruption stops
  const stopped = new Map<string, Answer>() // what is told of calls that were stopped, if that is known
  const open = new Set<Group>()
  const fibers = yield* FiberMap.make<string, Answer, unknown>()
  const fork = yield* FiberMap.runtime(fibers)()
  const background = yield* FiberSet.make()
  const forkLater = yield* FiberSet.runtime(background)()

  const settle = (call: ToolCall, responseId: string, input: Schema.Json, since: number, answer: Answer) => {
    const { id, name } = call
    const output = { id, name, ...answer }
    cancellable.delete(id)
    settled.set(id, { output, generation: generation.current })
    memory.put({ _tag: "ToolCall", id, responseId, name, input, output: answer })
    const wasPromised = promised.delete(id)
    const late = since === generation.current && !wasPromised ? {} : { late: true }
    fanout.emit({ _tag: "ToolResult", id, name, ...answer, ...late })
    if (wasPromised) forkLater(follow(output))
    for (const group of open) reply(group)
    turn.toolEnded()
  }

  // The result of a call that was answered without one is told when nobody speaks.
  const follow = (output: ToolOutput) =>
    Effect.andThen(
      turn.free,
      Effect.sync(() =>
        outbox.offerUnsafe(
          { _tag: "Note", text: inWords(output), respond: true },
          {
            bound: { generation: generation.current, otherwise: () => ({ _tag: "Respond" }) },
            onSent: turn.awaitReply
          }
        )
      )
    )

  // once every call of a group has its output, the model gets them all, and is asked for one reply
  const reply = (group: Group) => {
    if (!group.calls.every(({ id }) => settled.has(id) || slow.has(id)) || !open.delete(group)) return
    const outputs = group.calls.map(({ id, name }) => {
      const { output } = settled.get(id) ?? {}
      if (output === undefined) promised.add(id)
      return output ?? { id, name, ...STILL_WORKING }
    })
    outbox.offerUnsafe(
      { _tag: "ToolOutputs", outputs },
      {
        bound: { generation: group.generation, otherwise: (later) => asContext(group, later) },
        onSent: turn.awaitReply
      }
    )
  }

  // A connection that does not know the calls is told the outputs in words, unless its history has them.
  const asContext = (group: Group, later: number): Command | undefined => {
    const outputs = group.calls.flatMap((call) => settled.get(call.id) ?? [])
    if (outputs.length === 0) return undefined
    const news = outputs.filter((one) => one.generation >= later)
    if (news.length === 0) return { _tag: "Respond" }
    return { _tag: "Note", text: news.map(({ output }) => inWords(output)).join("\n"), respond: true }
  }

  const start = (call: ToolCall, responseId: string, since: number) => {
    const { id, name } = call
    const kit = kitNow()
    const parsed = parse(call.arguments)
    const input = Result.getOrElse(parsed, () => call.arguments)
    if (ToolRun.policy(kit, name, BidiTool.OnInterruption) === "cancel") cancellable.add(id)
    turn.toolStarted()
    memory.put({ _tag: "ToolCall", id, responseId, name, input })
    fanout.emit({ _tag: "ToolUse", id, name, input, responseId })
    const work = Result.isFailure(parsed)
      ? Effect.succeed(failed(`The arguments are not valid JSON: ${parsed.failure}`))
      : Effect.provideService(run(kit, id, name, parsed.success), CurrentConversation, asSeenBy(id))
    const reminder = ToolRun.policy(kit, name, BidiTool.StillWorkingAfter)
    fork(
      id,
      Effect.logDebug(`the tool ${name} (${id}) begins`).pipe(
        Effect.andThen(work),
        Effect.onExit((exit) =>
          Effect.sync(() => settle(call, responseId, input, since, ofExit(exit, stopped.get(id) ?? STOPPED)))
        ),
        Effect.tap(({ isFailure }) =>
          Effect.logDebug(`the tool ${name} (${id}) has ${isFailure ? "failed" : "finished"}`)
        ),
        Effect.tapCause((cause) => Effect.logWarning(`the tool ${name} (${id}) did not end well`, cause))
      )
    )
    if (reminder !== undefined && !settled.has(id)) forkLater(Effect.andThen(Effect.sleep(reminder), remind(id)))
  }

  const remind = (id: string) =>
    Effect.sync(() => {
      if (settled.has(id)) return
      slow.add(id)
      for (const group of open) reply(group)
    })

  // A tool that ends the conversation may not live to see its own end.
  const asSeenBy = (id: string): Conversation => ({
    ...conversation,
    stop: (reason) =>
      Effect.andThen(
        Effect.sync(() => stopped.set(id, { result: "The conversation has ended.", isFailure: false })),
        conversation.stop(reason)
      )
  })

  const stop = (id: string, answer: Answer) => {
    const fiber = Option.getOrUndefined(FiberMap.getUnsafe(fibers, id))
    if (fiber === undefined) return
    stopped.set(id, answer)
    fiber.interruptUnsafe()
  }

  fanout.subscribe(["Interruption"], () => {
    for (const id of cancellable) stop(id, INTERRUPTED)
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
      for (const id of ids) stop(id, STOPPED)
    },
    callDirectly: Effect.fnUntraced(function* (name, input, record) {
      const id = `app-${crypto.randomUUID()}`
      const exit = yield* Effect.exit(
        Effect.provideService(runApproved(kitNow(), id, name, input), CurrentConversation, asSeenBy(id))
      )
      const answer = ofExit(exit, STOPPED)
      if (record) {
        memory.put({ _tag: "ToolCall", id, responseId: "application", name, input, output: answer })
        outbox.offerUnsafe(
          { _tag: "Note", text: inWords({ id, name, ...answer }), respond: false },
          { bound: { generation: generation.current } }
        )
      }
      return answer
    })
  } satisfies Tools
})

const STOPPED = failed("The tool was stopped before it finished.")
const INTERRUPTED = failed("The tool was stopped because the user interrupted.")

const inWords = ({ isFailure, name, result }: ToolOutput): string =>
  `The tool ${name}, called earlier, has ${isFailure ? "failed" : "finished"}: ${JSON.stringify(result)}`
