/**
 * One tool call, from its arguments to its answer: approval, its place in the queue, its timeout.
 */
import type * as Tool from "effect/ai/Tool"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BidiTool from "../../BidiTool.ts"
import type { BeforeTool, ToolOptions } from "../../ConversationOptions.ts"
import * as Transcript from "../../Transcript.ts"
import { atMost } from "../conversation/shutdown.ts"
import type { Services } from "../conversation/services.ts"
import * as WellFormed from "../conversation/wellFormed.ts"
import { type Answer, failed, ofResult } from "./answers.ts"
import { decide } from "./decisions.ts"
import type { Approvals } from "./approvals.ts"
import { annotation, type Kit } from "./kit.ts"
import { bounded, byItsSchema, MIN_RESULT_LIMIT } from "./results.ts"
import { RunningCall } from "./runningCall.ts"
import * as UninterruptibleCalls from "./uninterruptibleCalls.ts"

// Calls of the model, of all tools together, that may run at once; more wait.
const MAX_CONCURRENT_CALLS = 32

const DEFAULT_TIMEOUT = "2 minutes"

const DEFAULT_RESULT_LIMIT = 65_536 // bytes

// A tool that does not stop within this time when it is interrupted is left behind.
const STOP_TIMEOUT = "500 millis"

/** Gets the exit of a call that cannot be interrupted, also when an interruption waits for it. */
export type OnEnd = (exit: Exit.Exit<Answer, unknown>) => void

/** A tool of `kit` to be run. */
export interface Invocation {
  readonly kit: Kit
  readonly id: string
  readonly name: string
  readonly input: Schema.Json
  readonly onEnd: OnEnd
  /** It waited for approval in an earlier process already. */
  readonly waits?: boolean
}

export interface ToolRun {
  /** Runs a call of the model. */
  readonly run: (invocation: Invocation, ofModel: object) => Effect.Effect<Answer, unknown>
  /** Runs a call of the application. It needs no approval, and does not count among those of the model. */
  readonly runDirectly: (invocation: Invocation) => Effect.Effect<Answer, unknown>
  /** Waits for calls that must not be interrupted, in bounded time; no other of these begins. */
  readonly finish: Effect.Effect<void>
  /** An answer of this tool, not longer than the model is to get. */
  readonly limit: (kit: Kit, name: string, answer: Answer) => Answer
}

export const make = Effect.fnUntraced(function* (
  { fanout, transcriber }: Services,
  approvals: Approvals,
  options: ToolOptions = {},
  decisions: ReadonlyArray<BeforeTool> = []
) {
  const permits = yield* Semaphore.make(MAX_CONCURRENT_CALLS)
  const uninterruptibleCalls = UninterruptibleCalls.make()
  const queues = new WeakMap<Tool.Any, Semaphore.Semaphore>()

  const queueOf = (kit: Kit, name: string): Semaphore.Semaphore | undefined => {
    const tool = kit.tools[name]!
    const concurrency = annotation(kit, name, BidiTool.Concurrency)
    if (concurrency === Infinity) return undefined
    let queue = queues.get(tool)
    if (queue === undefined) {
      queue = Semaphore.makeUnsafe(Math.max(1, Math.trunc(concurrency) || 1))
      queues.set(tool, queue)
    }
    return queue
  }

  // The tool itself refuses arguments that do not fit: they need no approval.
  const needsApproval = Effect.fnUntraced(function* ({ id, input, kit, name }: Invocation) {
    const { needsApproval: needs, parametersSchema } = kit.tools[name]!
    if (typeof needs !== "function") return needs === true
    const decoded = Schema.isSchema(parametersSchema)
      ? yield* Effect.exit(Schema.decodeUnknownEffect(parametersSchema as Schema.Codec<unknown, unknown>)(input))
      : Exit.succeed<unknown>(input)
    if (Exit.isFailure(decoded)) return false
    const answer = needs(decoded.value, {
      toolCallId: id,
      messages: Transcript.toPrompt(transcriber.heard.transcript()).content
    })
    return typeof answer === "boolean" ? answer : yield* answer
  })

  const progress = ({ id, kit, name }: Invocation, { encodedResult, result }: Tool.HandlerResult<Tool.Any>) =>
    Effect.flatMap(byItsSchema(kit.tools[name]!.successSchema, result, encodedResult), (value) =>
      Result.isSuccess(value)
        ? Effect.sync(() => fanout.emit({ _tag: "ToolProgress", id, name, value: WellFormed.json(value.success) }))
        : Effect.logWarning(`the progress of the tool ${name} (${id}) could not be encoded: ${value.failure}`)
    )

  // What the handlers need is in the context of the conversation.
  const handle = Effect.fnUntraced(function* (invocation: Invocation) {
    const { id, input, kit, name } = invocation
    const context = (yield* Effect.context<never>()) as Context.Context<any>
    let last: Answer = failed("The tool ended without a result.")
    yield* kit.handle(name, input, id).pipe(
      Stream.unwrap,
      Stream.runForEach((result) =>
        result.preliminary
          ? progress(invocation, result)
          : Effect.map(ofResult(kit.tools[name]!, result), (answer) => void (last = answer))
      ),
      Effect.provideContext(context)
    )
    return last
  })

  const timeoutOf = ({ kit, name }: Invocation) =>
    Duration.fromInputUnsafe(annotation(kit, name, BidiTool.Timeout) ?? options.timeout ?? DEFAULT_TIMEOUT)

  // The work has a fiber of its own: who waits for it can stop waiting, also for what cannot be stopped.
  const inTime = (invocation: Invocation) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const timeout = timeoutOf(invocation)
        const work = yield* Effect.forkDetach(handle(invocation), { startImmediately: true })
        const waiting = Duration.isFinite(timeout)
          ? Effect.timeoutOption(Fiber.await(work), timeout)
          : Effect.asSome(Fiber.await(work))
        const exit = yield* Effect.onInterrupt(restore(waiting), () => atMost(Fiber.interrupt(work), STOP_TIMEOUT))
        if (Option.isSome(exit)) return yield* exit.value
        work.interruptUnsafe()
        return failed(`The tool took longer than ${Duration.format(timeout)} and was stopped.`)
      })
    )

  // A call waits in the queue of its tool before it takes one of the permits of all. A tool that calls tools does so on
  // the places it has.
  const queued = Effect.fnUntraced(function* (invocation: Invocation, ofModel?: object) {
    const { kit, name, onEnd } = invocation
    if (!Object.hasOwn(kit.tools, name)) {
      const names = Object.keys(kit.tools).join(", ")
      return failed(`There is no tool "${name}". The tools are: ${names === "" ? "none" : names}.`)
    }
    const within = yield* RunningCall
    const queues = new Set(within?.queues)
    const queue = queueOf(kit, name)
    const waits = queue !== undefined && !queues.has(queue)
    if (waits) queues.add(queue)
    const work = Effect.provideService(inTime(invocation), RunningCall, {
      ofModel: ofModel ?? within?.ofModel,
      queues
    })
    const uninterruptible = annotation(kit, name, BidiTool.OnInterruption) === "uninterruptible"
    const begun = uninterruptible ? uninterruptibleCalls.run(work, timeoutOf(invocation), onEnd) : work
    const placed = ofModel === undefined ? begun : permits.withPermit(begun)
    return yield* waits ? queue.withPermit(placed) : placed
  })

  const run = Effect.fnUntraced(function* (asked: Invocation, ofModel: object) {
    const { kit, name } = asked
    let invocation = asked
    if (decisions.length > 0 && Object.hasOwn(kit.tools, name)) {
      const decision = yield* decide(decisions, asked)
      if (decision._tag === "Refuse") return failed(`This was refused: ${decision.reason}`)
      if (decision._tag === "Change") invocation = { ...asked, input: decision.input }
    }
    if (Object.hasOwn(kit.tools, name) && (invocation.waits === true || (yield* needsApproval(invocation)))) {
      const decision = yield* approvals.ask(invocation, annotation(kit, name, BidiTool.ApprovalTimeout))
      if (!decision.approved) return failed(`This was not approved: ${decision.reason}.`)
    }
    return yield* queued(invocation, ofModel)
  })

  const limit = (kit: Kit, name: string, answer: Answer): Answer => {
    const bytes = annotation(kit, name, BidiTool.ResultLimit) ?? options.resultLimit ?? DEFAULT_RESULT_LIMIT
    const result = bounded(WellFormed.json(answer.result), Math.max(MIN_RESULT_LIMIT, bytes))
    return result === answer.result ? answer : { ...answer, result }
  }

  return { run, runDirectly: queued, limit, finish: uninterruptibleCalls.finish } satisfies ToolRun
})
