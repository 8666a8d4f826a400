/**
 * One tool call, from its arguments to its answer: consent, its place in the queue, its time.
 */
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
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
import type { ToolOptions } from "../../ConversationOptions.ts"
import * as Transcript from "../../Transcript.ts"
import { type Answer, failed, ofResult } from "./answers.ts"
import type { Approvals } from "./approvals.ts"
import { atMost } from "../conversation/shutdown.ts"
import { bounded, byItsSchema, SHORTEST_RESULT } from "./results.ts"
import type { Services } from "../conversation/services.ts"
import { UninterruptibleCalls } from "./uninterruptibleCalls.ts"
import * as WellFormed from "../conversation/wellFormed.ts"
import { RunningCall } from "./runningCall.ts"

/** A toolkit with its handlers. What the handlers need is in the context of the conversation. */
export interface Kit {
  readonly tools: Record<string, Tool.Any>
  readonly handle: (
    name: string,
    params: unknown,
    id: string
  ) => Effect.Effect<Stream.Stream<Tool.HandlerResult<Tool.Any>, unknown>, unknown>
}

// Calls of the model, of all tools together, that may run at once; more wait.
const CONCURRENCY = 32

const TIMEOUT = "2 minutes"
const RESULT_LIMIT = 65_536

// How long to wait for a tool that was told to stop: one that does not is left behind.
const STOPPING = "500 millis"

/** Hears what came of a call that cannot be interrupted, also when it was to be. */
export type OnEnd = (exit: Exit.Exit<Answer, unknown>) => void

export interface ToolRun {
  /** Runs a call of the model; what it needs beyond the context is given by whoever calls. */
  readonly run: (
    kit: Kit,
    id: string,
    name: string,
    input: Schema.Json,
    onEnd: OnEnd,
    call: object
  ) => Effect.Effect<Answer, unknown>
  /** Runs a call of the application: it has consented, and is not counted among those of the model. */
  readonly runDirectly: (
    kit: Kit,
    id: string,
    name: string,
    input: Schema.Json,
    onEnd: OnEnd
  ) => Effect.Effect<Answer, unknown>
  /** Waits for calls that must not be interrupted, in bounded time; no other of these begins. */
  readonly finish: Effect.Effect<void>
  /** What the model is told of an answer of this tool. */
  readonly told: (kit: Kit, name: string, answer: Answer) => Answer
}

export const policy = <A>(kit: Kit, name: string, reference: Context.Reference<A>): A =>
  Context.get(kit.tools[name]?.annotations ?? Context.empty(), reference)

export const make = Effect.fnUntraced(function* (
  { fanout, transcriber }: Services,
  approvals: Approvals,
  options: ToolOptions = {}
) {
  const all = yield* Semaphore.make(CONCURRENCY)
  const unstoppable = new UninterruptibleCalls()
  const queues = new WeakMap<Tool.Any, Semaphore.Semaphore>()

  const queueOf = (kit: Kit, name: string): Semaphore.Semaphore | undefined => {
    const tool = kit.tools[name]!
    const concurrency = policy(kit, name, BidiTool.Concurrency)
    if (concurrency === Infinity) return undefined
    let queue = queues.get(tool)
    if (queue === undefined) {
      queue = Semaphore.makeUnsafe(Math.max(1, Math.trunc(concurrency) || 1))
      queues.set(tool, queue)
    }
    return queue
  }

  // Arguments that do not fit are refused by the tool itself; nobody has to agree to that.
  const needsApproval = Effect.fnUntraced(function* (kit: Kit, id: string, name: string, input: Schema.Json) {
    const { needsApproval: needs, parametersSchema } = kit.tools[name]!
    if (typeof needs !== "function") return needs === true
    const decoded = Schema.isSchema(parametersSchema)
      ? yield* Effect.exit(Schema.decodeUnknownEffect(parametersSchema as Schema.Codec<unknown, unknown>)(input))
      : Exit.succeed<unknown>(input)
    if (Exit.isFailure(decoded)) return false
    const answer = needs(decoded.value, {
      toolCallId: id,
      messages: Transcript.toPrompt(transcriber.heardSoFar()).content
    })
    return typeof answer === "boolean" ? answer : yield* answer
  })

  const progress = (kit: Kit, id: string, name: string, { encodedResult, result }: Tool.HandlerResult<Tool.Any>) =>
    Effect.flatMap(byItsSchema(kit.tools[name]!.successSchema, result, encodedResult), (value) =>
      Result.isSuccess(value)
        ? Effect.sync(() => fanout.emit({ _tag: "ToolProgress", id, name, value: WellFormed.json(value.success) }))
        : Effect.logWarning(`the progress of the tool ${name} (${id}) cannot be told: ${value.failure}`)
    )

  const handle = Effect.fnUntraced(function* (kit: Kit, id: string, name: string, input: Schema.Json) {
    let last: Answer = failed("The tool ended without a result.")
    yield* kit.handle(name, input, id).pipe(
      Stream.unwrap,
      Stream.runForEach((result) =>
        result.preliminary
          ? progress(kit, id, name, result)
          : Effect.map(ofResult(kit.tools[name]!, result), (answer) => void (last = answer))
      )
    )
    return last
  })

  const timeoutOf = (kit: Kit, name: string) =>
    Duration.fromInputUnsafe(policy(kit, name, BidiTool.Timeout) ?? options.timeout ?? TIMEOUT)

  // The work has a fiber of its own, so that whoever waits for it can stop waiting, also for what cannot be stopped.
  const inTime = (kit: Kit, id: string, name: string, input: Schema.Json) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const timeout = timeoutOf(kit, name)
        const work = yield* Effect.forkDetach(handle(kit, id, name, input), { startImmediately: true })
        const waiting = Duration.isFinite(timeout)
          ? Effect.timeoutOption(Fiber.await(work), timeout)
          : Effect.asSome(Fiber.await(work))
        const exit = yield* Effect.onInterrupt(restore(waiting), () => atMost(Fiber.interrupt(work), STOPPING))
        if (Option.isSome(exit)) return yield* exit.value
        work.interruptUnsafe()
        return failed(`The tool took longer than ${Duration.format(timeout)} and was stopped.`)
      })
    )

  // Whose turn it is. A place in the queue of a tool is waited for without a place among all; a tool that calls tools
  // does so on the places it has.
  const queued = Effect.fnUntraced(function* (
    kit: Kit,
    id: string,
    name: string,
    input: Schema.Json,
    onEnd: OnEnd,
    call?: object
  ) {
    if (!Object.hasOwn(kit.tools, name)) {
      const names = Object.keys(kit.tools).join(", ")
      return failed(`There is no tool "${name}". The tools are: ${names === "" ? "none" : names}.`)
    }
    const within = yield* RunningCall
    const queues = new Set(within?.queues)
    const queue = queueOf(kit, name)
    const waits = queue !== undefined && !queues.has(queue)
    if (waits) queues.add(queue)
    const work = Effect.provideService(inTime(kit, id, name, input), RunningCall, {
      ofModel: call ?? within?.ofModel,
      queues
    })
    const uninterruptible = policy(kit, name, BidiTool.OnInterruption) === "uninterruptible"
    const begun = uninterruptible ? unstoppable.run(work, timeoutOf(kit, name), onEnd) : work
    const placed = call === undefined ? begun : all.withPermit(begun)
    return yield* waits ? queue.withPermit(placed) : placed
  })

  const run = Effect.fnUntraced(function* (
    kit: Kit,
    id: string,
    name: string,
    input: Schema.Json,
    onEnd: OnEnd,
    call: object
  ) {
    if (Object.hasOwn(kit.tools, name) && (yield* needsApproval(kit, id, name, input))) {
      const decision = yield* approvals.ask(id, name, input, policy(kit, name, BidiTool.ApprovalTimeout))
      if (!decision.approved) return failed(`This was not approved: ${decision.reason}.`)
    }
    return yield* queued(kit, id, name, input, onEnd, call)
  })

  const told = (kit: Kit, name: string, answer: Answer): Answer => {
    const limit = policy(kit, name, BidiTool.ResultLimit) ?? options.resultLimit ?? RESULT_LIMIT
    const result = bounded(WellFormed.json(answer.result), Math.max(SHORTEST_RESULT, limit))
    return result === answer.result ? answer : { ...answer, result }
  }

  return { run, runDirectly: queued, told, finish: unstoppable.finish } satisfies ToolRun
})
