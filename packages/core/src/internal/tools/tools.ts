/**
 * The tools of a conversation. A call has a fiber, and on every way out exactly one output. Calls outlive the connection
 * that asked for them, not the conversation.
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { ModelEvent } from "../../BidiModel.ts"
import * as BidiTool from "../../BidiTool.ts"
import type { BeforeTool, ToolOptions } from "../../ConversationOptions.ts"
import { type Conversation, CurrentConversation } from "../../CurrentConversation.ts"
import type { Services } from "../conversation/services.ts"
import { debug } from "../events/debugLog.ts"
import { type Answer, failed, INTERRUPTED, ofExit, parse, STOPPED } from "./answers.ts"
import type { Approvals } from "./approvals.ts"
import * as Calls from "./calls.ts"
import * as DirectCalls from "./directCalls.ts"
import { annotation, type Kit, loggable } from "./kit.ts"
import * as Outputs from "./outputs.ts"
import * as ToolRun from "./toolRun.ts"

type ToolCalls = Extract<ModelEvent, { readonly _tag: "ToolCalls" }>

export interface Tools {
  /** The model calls tools. */
  readonly call: (calls: ToolCalls) => void
  /** These calls of an earlier process still wait for approval. */
  readonly wait: (ids: { readonly has: (id: string) => boolean }) => void
  /** The model no longer wants the outputs of these calls. */
  readonly cancel: (ids: ReadonlyArray<string>) => void
  /** The user has interrupted the agent. */
  readonly interrupted: () => void
  /** The model has begun a reply. */
  readonly replyBegan: () => void
  /** The application calls a tool itself. */
  readonly callDirectly: (name: string, input: Schema.Json, record: boolean) => Effect.Effect<Answer>
  /** Waits for calls that must not be interrupted, in bounded time; no other of these begins. */
  readonly finish: Effect.Effect<void>
}

/** `kitNow` returns the current tools; a call runs with those that were current when it was made. */
export const make = Effect.fnUntraced(function* (
  services: Services,
  kitNow: () => Kit,
  approvals: Approvals,
  options: ToolOptions,
  decisions: ReadonlyArray<BeforeTool> = []
) {
  const { fanout, generation, history, journal, turn } = services
  const conversation = yield* CurrentConversation
  const toolRun = yield* ToolRun.make(services, approvals, options, decisions)
  const calls = Calls.make(services)
  const fibers = yield* FiberMap.make<Calls.Call, Answer, unknown>()
  const fork = yield* FiberMap.runtime(fibers)()
  const outputs = yield* Outputs.make(services)

  const settle = (call: Calls.Call, { generation: since, responseId }: Calls.Call["asked"], answer: Answer) => {
    const { input, key, request } = call
    const { name } = request
    if (approvals.isPostponed(key)) return turn.toolEnded(call)
    call.settled = { answer, generation: generation.current }
    history.put({ _tag: "ToolCall", id: key, responseId, name, input, output: answer })
    const late = since === generation.current && !call.resultFollows ? {} : { late: true }
    fanout.emit({ _tag: "ToolResult", id: key, name, ...answer, ...late })
    outputs.settled(call, answer)
    turn.toolEnded(call)
  }

  const start = (call: Calls.Call, waits = false) => {
    const { asked, input, key, request } = call
    const { name } = request
    const kit = kitNow()
    const parsed = parse(request.arguments)
    call.cancellable = annotation(kit, name, BidiTool.OnInterruption) === "cancel"
    turn.toolStarted(call)
    if (!waits) fanout.emit({ _tag: "ToolUse", id: key, name, input, responseId: asked.responseId })
    const onEnd: ToolRun.OnEnd = (exit) => {
      call.ifInterrupted = ofExit(exit, STOPPED)
    }
    const work = Result.isFailure(parsed)
      ? Effect.succeed(failed(`The arguments are not valid JSON: ${parsed.failure}`))
      : Effect.provideService(
          toolRun.run({ kit, id: key, name, input: parsed.success, onEnd, waits }, call),
          CurrentConversation,
          seenBy(call)
        )
    fork(
      call,
      debug(() => `the tool ${name} (${key}) begins with ${loggable(kit, name, input)}`).pipe(
        // a call that has begun is in the log: who reads that does not make it again
        Effect.andThen(journal.durable),
        Effect.andThen(work),
        Effect.onExit((exit) =>
          Effect.sync(() => settle(call, asked, toolRun.limit(kit, name, ofExit(exit, call.ifInterrupted ?? STOPPED))))
        ),
        Effect.tap(({ isFailure, result }) =>
          debug(
            () => `the tool ${name} (${key}) has ${isFailure ? "failed" : "finished"}: ${loggable(kit, name, result)}`
          )
        ),
        Effect.tapCause((cause) => Effect.logWarning(`the tool ${name} (${key}) did not end well`, cause)),
        Effect.annotateLogs({ call: key, response: asked.responseId, connection: asked.generation })
      )
    )
    const stillWorkingAfter = annotation(kit, name, BidiTool.StillWorkingAfter)
    if (stillWorkingAfter !== undefined && call.settled === undefined) {
      outputs.stillWorkingAfter(call, stillWorkingAfter)
    }
  }

  // The end of the conversation may interrupt the tool that has brought it about.
  const seenBy = (call: Calls.Call): Conversation => ({
    ...conversation,
    stop: (reason) =>
      Effect.andThen(
        Effect.sync(() => void (call.ifInterrupted = { result: "The conversation has ended.", isFailure: false })),
        conversation.stop(reason)
      )
  })

  const stop = (isMeant: (call: Calls.Call) => boolean, answer: Answer) => {
    for (const [call, fiber] of Array.from(fibers)) {
      if (call.settled !== undefined || !isMeant(call)) continue
      call.ifInterrupted = answer
      fiber.interruptUnsafe()
    }
  }

  return {
    call: ({ calls: requests, responseId }) => {
      const asked = { generation: generation.current, responseId }
      const wanted: Array<Calls.Call> = []
      const fresh: Array<Calls.Call> = []
      for (const request of requests) {
        const before = calls.repeated(request, responseId)
        // one that this connection has asked for already is answered, or will be
        if (before?.asked.generation === asked.generation) continue
        const call = before ?? calls.add(request, responseId)
        call.asked = asked
        wanted.push(call)
        if (before === undefined) fresh.push(call)
      }
      if (wanted.length === 0) return
      outputs.expect({ generation: asked.generation, calls: wanted })
      for (const call of fresh) start(call)
    },
    wait: (ids) => {
      for (const entry of history.transcript()) {
        if (entry._tag !== "ToolCall" || entry.output !== undefined || !ids.has(entry.id)) continue
        start(calls.restore(entry), true)
      }
    },
    cancel: (ids) => {
      const since = generation.current
      const isMeant = (call: Calls.Call) => call.asked.generation === since && ids.includes(call.request.id)
      outputs.cancel(isMeant)
      stop(isMeant, STOPPED)
      calls.forget(ids, isMeant)
    },
    interrupted: () => stop(({ cancellable }) => cancellable, INTERRUPTED),
    replyBegan: outputs.replyBegan,
    callDirectly: DirectCalls.make(history, outputs, conversation, toolRun, kitNow),
    finish: toolRun.finish
  } satisfies Tools
})
