/**
 * One tool call, from its arguments to its answer: consent, its place in the queue, its time.
 */
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as BidiTool from "../BidiTool.ts"
import * as Transcript from "../Transcript.ts"
import { type Answer, failed, ofResult, toJson } from "./answers.ts"
import type { Approvals } from "./approvals.ts"
import type { Rooms } from "./rooms.ts"

/** A toolkit with its handlers. What the handlers need is in the context of the conversation. */
export interface Kit {
  readonly tools: Record<string, Tool.Any>
  readonly handle: (
    name: string,
    params: unknown,
    id: string
  ) => Effect.Effect<Stream.Stream<Tool.HandlerResult<Tool.Any>, unknown>, unknown>
}

// Calls of all tools together that may run at once; more wait.
const CONCURRENCY = 32

export interface ToolRun {
  /** Runs a call; what it needs beyond the context is given by whoever calls. */
  readonly run: (kit: Kit, id: string, name: string, input: Schema.Json) => Effect.Effect<Answer, unknown>
  /** The same without asking for consent: the application itself wants it. */
  readonly runApproved: (kit: Kit, id: string, name: string, input: Schema.Json) => Effect.Effect<Answer, unknown>
}

export const policy = <A>(kit: Kit, name: string, reference: Context.Reference<A>): A =>
  Context.get(kit.tools[name]?.annotations ?? Context.empty(), reference)

export const make = Effect.fnUntraced(function* ({ fanout, memory }: Rooms, approvals: Approvals) {
  const all = yield* Semaphore.make(CONCURRENCY)
  const queues = new WeakMap<Tool.Any, Semaphore.Semaphore>()

  const queueOf = (kit: Kit, name: string): Semaphore.Semaphore => {
    const tool = kit.tools[name]!
    let queue = queues.get(tool)
    if (queue === undefined) {
      queue = Semaphore.makeUnsafe(Math.min(policy(kit, name, BidiTool.Concurrency), CONCURRENCY))
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
      messages: Transcript.toPrompt(memory.transcript()).content
    })
    return typeof answer === "boolean" ? answer : yield* answer
  })

  const handle = Effect.fnUntraced(function* (kit: Kit, id: string, name: string, input: Schema.Json) {
    let last: Answer = failed("The tool ended without a result.")
    yield* kit.handle(name, input, id).pipe(
      Stream.unwrap,
      Stream.runForEach((result) =>
        Effect.sync(() => {
          if (result.preliminary) {
            fanout.emit({ _tag: "ToolProgress", id, name, value: toJson(result.encodedResult) })
          } else {
            last = ofResult(result)
          }
        })
      )
    )
    return last
  })

  const runApproved = Effect.fnUntraced(function* (kit: Kit, id: string, name: string, input: Schema.Json) {
    if (!Object.hasOwn(kit.tools, name)) {
      const names = Object.keys(kit.tools).join(", ")
      return failed(`There is no tool "${name}". The tools are: ${names === "" ? "none" : names}.`)
    }
    const timeout = policy(kit, name, BidiTool.Timeout)
    const work =
      timeout === undefined
        ? handle(kit, id, name, input)
        : Effect.timeoutOrElse(handle(kit, id, name, input), {
            duration: timeout,
            orElse: () =>
              Effect.succeed(
                failed(
                  `The tool took longer than ${Duration.format(Duration.fromInputUnsafe(timeout))} and was stopped.`
                )
              )
          })
    const begun = policy(kit, name, BidiTool.OnInterruption) === "uninterruptible" ? Effect.uninterruptible(work) : work
    return yield* all.withPermit(queueOf(kit, name).withPermit(begun))
  })

  const run = Effect.fnUntraced(function* (kit: Kit, id: string, name: string, input: Schema.Json) {
    if (Object.hasOwn(kit.tools, name) && (yield* needsApproval(kit, id, name, input))) {
      const decision = yield* approvals.ask(id, name, input, policy(kit, name, BidiTool.ApprovalTimeout))
      if (!decision.approved) return failed(`This was not approved: ${decision.reason}.`)
    }
    return yield* runApproved(kit, id, name, input)
  })

  return { run, runApproved } satisfies ToolRun
})
