/**
 * The tool calls of the model. A fiber a call; on every way out exactly one output; the calls that a model made
 * together are answered together. Calls outlive the connection that asked for them, not the conversation.
 */
import * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Command, ModelEvent, ToolCall, ToolDefinition, ToolOutput } from "../../BidiModel.ts"
import * as BidiTool from "../../BidiTool.ts"
import type { ToolOptions } from "../../ConversationOptions.ts"
import { type Conversation, CurrentConversation } from "../../CurrentConversation.ts"
import { type Answer, failed, ofExit, parse, STILL_WORKING } from "./answers.ts"
import type { Approvals } from "./approvals.ts"
import { debug } from "../events/debugLog.ts"
import type { Services } from "../conversation/services.ts"
import * as ToolRun from "./toolRun.ts"

export type { Kit } from "./toolRun.ts"

type Calls = Extract<ModelEvent, { readonly _tag: "ToolCalls" }>

export interface Tools {
  readonly call: (calls: Calls) => void
  /** The model no longer wants these answers. */
  readonly cancel: (ids: ReadonlyArray<string>) => void
  /** The application calls a tool itself. */
  readonly callDirectly: (name: string, input: Schema.Json, record: boolean) => Effect.Effect<Answer>
  /** Waits for calls that must not be interrupted, in bounded time; no other of these begins. */
  readonly finish: Effect.Effect<void>
}

/** Calls to be answered together, and the connection that wants the answer. */
interface Group {
  readonly generation: number
  readonly calls: ReadonlyArray<Call>
}

/** One run of a tool for the model. */
interface Call {
  /** What events, the history and consent call it: the provider's id, unless something has that id already. */
  readonly key: string
  readonly request: ToolCall
  /** Its arguments, or the text of them that is no JSON. */
  readonly input: Schema.Json
  /** Which connection asked for it last, and in which response. */
  asked: { readonly generation: number; readonly responseId: string }
  /** Its output, and the connection that was current when it came: the history of any later one holds it. */
  settled: { readonly answer: Answer; readonly generation: number } | undefined
  /** It takes longer than the model is to wait. */
  slow: boolean
  /** The model was answered without a result. */
  promised: boolean
  /** An interruption stops it. */
  cancellable: boolean
  /** What is told of it when it is stopped, if that is known. */
  stopped: Answer | undefined
  /** The connection that its answer was sent to last. */
  told: number | undefined
  /** The model has gone on with its answer. */
  taken: boolean
}

/** The tools as a model is told about them. */
export const definitions = (kit: ToolRun.Kit): ReadonlyArray<ToolDefinition> =>
  Object.values(kit.tools).map((tool) => ({
    name: tool.name,
    description: Tool.getDescription(tool),
    parameters: Tool.getJsonSchema(tool)
  }))

/** `kitNow` answers the tools of the moment; a call runs with those of the moment it was made in. */
export const make = Effect.fnUntraced(function* (
  services: Services,
  kitNow: () => ToolRun.Kit,
  approvals: Approvals,
  options: ToolOptions
) {
  const { fanout, generation, history, journal, outbox, turn, untold } = services
  const conversation = yield* CurrentConversation
  const { finish, run, runDirectly, told: shortened } = yield* ToolRun.make(services, approvals, options)
  const known = new Map<string, Array<Call>>() // by the provider's id
  const running = new Set<Call>()
  const awaiting = new Set<Call>() // whose answers were sent, and no reply has begun since
  const open = new Set<Group>()
  const fibers = yield* FiberMap.make<Call, Answer, unknown>()
  const fork = yield* FiberMap.runtime(fibers)()
  const background = yield* FiberSet.make()
  const forkLater = yield* FiberSet.runtime(background)()

  const settle = (call: Call, responseId: string, since: number, answer: Answer) => {
    const { input, key, request } = call
    const { name } = request
    running.delete(call)
    call.settled = { answer, generation: generation.current }
    history.put({ _tag: "ToolCall", id: key, responseId, name, input, output: answer })
    const late = since === generation.current && !call.promised ? {} : { late: true }
    fanout.emit({ _tag: "ToolResult", id: key, name, ...answer, ...late })
    if (call.promised) follow(call, answer)
    call.promised = false
    for (const group of open) reply(group)
    turn.toolEnded(call)
  }

  // The result of a call that was answered without one is told when nobody speaks.
  const follow = (call: Call, answer: Answer) =>
    later(Effect.andThen(journal.durable, turn.awaitFloor), () =>
      outbox.offerUnsafe(
        { _tag: "Note", text: inWords(call.request.name, answer), respond: true },
        {
          bound: { generation: generation.current, otherwise: () => ({ _tag: "Respond" }) },
          onSent: (command) => {
            sent([call])
            turn.awaitReply(command)
          }
        }
      )
    )

  // meanwhile the conversation is not at rest
  const later = (moment: Effect.Effect<void>, then: () => void) => {
    const done = turn.beginSending()
    forkLater(Effect.ensuring(Effect.andThen(moment, Effect.sync(then)), Effect.sync(done)))
  }

  // once every call of a group has its output, the model gets them all, and is asked for one reply
  const reply = (group: Group) => {
    if (!group.calls.every(({ settled, slow }) => settled !== undefined || slow) || !open.delete(group)) return
    const outputs = group.calls.map((call): ToolOutput => {
      const { id, name } = call.request
      if (call.settled === undefined) call.promised = true
      return { id, name, ...(call.settled?.answer ?? STILL_WORKING) }
    })
    const offer = () =>
      outbox.offerUnsafe(
        { _tag: "ToolOutputs", outputs },
        {
          bound: { generation: group.generation, otherwise: (later) => asContext(group, later) },
          onSent: (command) => {
            sent(group.calls)
            turn.awaitReply(command)
          }
        }
      )
    // the reply would be said into what the user is saying; and a model that is told does what follows from it
    if (!journal.isDurable() || turn.userSpeaking) later(Effect.andThen(journal.durable, turn.awaitUserSilence), offer)
    else offer()
  }

  // A connection that does not know the calls is told the outputs in words, unless its history has them.
  const asContext = (group: Group, later: number): Command | undefined => {
    const outputs = group.calls.flatMap(({ request, settled }) =>
      settled === undefined ? [] : [{ ...settled, name: request.name }]
    )
    if (outputs.length === 0) return undefined
    const news = outputs.filter((one) => one.generation >= later)
    if (news.length === 0) return { _tag: "Respond" }
    return { _tag: "Note", text: news.map(({ answer, name }) => inWords(name, answer)).join("\n"), respond: true }
  }

  const sent = (calls: ReadonlyArray<Call>) => {
    for (const call of calls) {
      if (call.settled === undefined) continue // it was told that there is none yet
      call.told = generation.current
      untold.delete(call.key)
      awaiting.add(call)
    }
  }

  // A reply that begins has the answers before it that were sent on its connection.
  fanout.subscribe(["ResponseStart"], () => {
    for (const call of awaiting) {
      if (call.told !== generation.current) continue
      call.taken = true
      awaiting.delete(call)
    }
  })

  // -------------------------------------------------------------------------------------------------------------------
  // which call it is
  // -------------------------------------------------------------------------------------------------------------------

  // A provider repeats itself: the same call in the same response. A new connection repeats a call of an old one as long
  // as the model may not have its answer. Anything else is another call, whatever its id is.
  const repeated = (request: ToolCall, responseId: string): Call | undefined =>
    known
      .get(request.id)
      ?.findLast(
        (call) =>
          call.request.name === request.name &&
          call.request.arguments === request.arguments &&
          (call.asked.generation === generation.current ? call.asked.responseId === responseId : !call.taken)
      )

  const meet = (request: ToolCall, responseId: string): Call => {
    const key = newKey(request.id)
    const input = Result.getOrElse(parse(request.arguments), () => request.arguments)
    const call: Call = {
      key,
      request,
      input,
      asked: { generation: generation.current, responseId },
      settled: undefined,
      slow: false,
      promised: false,
      cancellable: false,
      stopped: undefined,
      told: undefined,
      taken: false
    }
    const others = known.get(request.id)
    if (others === undefined) known.set(request.id, [call])
    else others.push(call)
    untold.add(key)
    history.put({ _tag: "ToolCall", id: key, responseId, name: request.name, input })
    return call
  }

  const newKey = (id: string): string => {
    let key = id
    for (let n = 2; history.get(key) !== undefined; n++) key = `${id}_${n}`
    return key
  }

  // -------------------------------------------------------------------------------------------------------------------
  // one call
  // -------------------------------------------------------------------------------------------------------------------

  const start = (call: Call, responseId: string) => {
    const { input, key, request } = call
    const { name } = request
    const since = generation.current
    const kit = kitNow()
    const parsed = parse(request.arguments)
    call.cancellable = ToolRun.policy(kit, name, BidiTool.OnInterruption) === "cancel"
    running.add(call)
    turn.toolStarted(call)
    fanout.emit({ _tag: "ToolUse", id: key, name, input, responseId })
    const work = Result.isFailure(parsed)
      ? Effect.succeed(failed(`The arguments are not valid JSON: ${parsed.failure}`))
      : Effect.provideService(
          run(kit, key, name, parsed.success, finished(call), call),
          CurrentConversation,
          asSeenBy(call)
        )
    const reminder = ToolRun.policy(kit, name, BidiTool.StillWorkingAfter)
    fork(
      call,
      debug(() => `the tool ${name} (${key}) begins with ${shown(kit, name, input)}`).pipe(
        // what begins is known to the log: whoever reads that next does not begin it again
        Effect.andThen(journal.durable),
        Effect.andThen(work),
        Effect.onExit((exit) =>
          Effect.sync(() =>
            settle(call, responseId, since, shortened(kit, name, ofExit(exit, call.stopped ?? STOPPED)))
          )
        ),
        Effect.tap(({ isFailure, result }) =>
          debug(() => `the tool ${name} (${key}) has ${isFailure ? "failed" : "finished"}: ${shown(kit, name, result)}`)
        ),
        Effect.tapCause((cause) => Effect.logWarning(`the tool ${name} (${key}) did not end well`, cause))
      )
    )
    if (reminder !== undefined && call.settled === undefined) {
      forkLater(Effect.andThen(Effect.sleep(reminder), remind(call)))
    }
  }

  const remind = (call: Call) =>
    Effect.sync(() => {
      if (call.settled !== undefined) return
      call.slow = true
      for (const group of open) reply(group)
    })

  // Nobody stopped it, whatever interrupts it now.
  const finished =
    (call: Pick<Call, "stopped">): ToolRun.OnEnd =>
    (exit) => {
      call.stopped = ofExit(exit, STOPPED)
    }

  // A tool that ends the conversation may not live to see its own end.
  const asSeenBy = (call: Pick<Call, "stopped">): Conversation => ({
    ...conversation,
    stop: (reason) =>
      Effect.andThen(
        Effect.sync(() => void (call.stopped = { result: "The conversation has ended.", isFailure: false })),
        conversation.stop(reason)
      )
  })

  const stop = (call: Call, answer: Answer) => {
    const fiber = Option.getOrUndefined(FiberMap.getUnsafe(fibers, call))
    if (fiber === undefined) return
    call.stopped = answer
    fiber.interruptUnsafe()
  }

  fanout.subscribe(["Interruption"], () => {
    for (const call of running) if (call.cancellable) stop(call, INTERRUPTED)
  })

  return {
    call: ({ calls: requests, responseId }) => {
      const since = generation.current
      const calls: Array<Call> = []
      const fresh: Array<Call> = []
      for (const request of requests) {
        const before = repeated(request, responseId)
        // one that this connection has asked for already is answered, or will be
        if (before?.asked.generation === since) continue
        const call = before ?? meet(request, responseId)
        call.asked = { generation: since, responseId }
        calls.push(call)
        if (before === undefined) fresh.push(call)
      }
      if (calls.length === 0) return
      const group: Group = { generation: since, calls }
      open.add(group)
      for (const call of fresh) start(call, responseId)
      reply(group)
    },
    cancel: (ids) => {
      const since = generation.current
      const meant = (call: Call) => call.asked.generation === since && ids.includes(call.request.id)
      for (const group of open) {
        const calls = group.calls.filter((call) => !meant(call))
        if (calls.length === group.calls.length) continue
        open.delete(group)
        if (calls.length > 0) open.add({ ...group, calls })
      }
      for (const call of running) if (meant(call)) stop(call, STOPPED)
      // a provider that asks for one of these again wants it after all
      for (const id of ids) {
        const calls = known.get(id) ?? []
        for (const call of calls) if (meant(call)) untold.delete(call.key)
        const others = calls.filter((call) => !meant(call))
        if (others.length === 0) known.delete(id)
        else known.set(id, others)
      }
    },
    callDirectly: Effect.fnUntraced(function* (name, input, record) {
      const id = `app-${crypto.randomUUID()}`
      const kit = kitNow()
      const call: Pick<Call, "stopped"> = { stopped: undefined }
      let told = !record
      const tell = (exit: Exit.Exit<Answer, unknown>) => {
        if (told) return
        told = true
        const output = shortened(kit, name, ofExit(exit, STOPPED))
        history.put({ _tag: "ToolCall", id, responseId: "application", name, input, output })
        const offer = () =>
          outbox.offerUnsafe(
            { _tag: "Note", text: inWords(name, output), respond: false },
            { bound: { generation: generation.current } }
          )
        if (journal.isDurable()) offer()
        else later(journal.durable, offer)
      }
      const exit = yield* runDirectly(kit, id, name, input, tell).pipe(
        Effect.provideService(CurrentConversation, asSeenBy(call)),
        Effect.onExit((exit) => Effect.sync(() => tell(exit))),
        Effect.exit
      )
      return ofExit(exit, STOPPED)
    }),
    finish
  } satisfies Tools
})

// For the log, as far as it is anybody's business there.
const shown = (kit: ToolRun.Kit, name: string, value: Schema.Json): string =>
  ToolRun.policy(kit, name, BidiTool.Confidential) ? "<redacted>" : JSON.stringify(value)

const STOPPED = failed("The tool was stopped before it finished.")
const INTERRUPTED = failed("The tool was stopped because the user interrupted.")

const inWords = (name: string, { isFailure, result }: Answer): string =>
  `The tool ${name}, called earlier, has ${isFailure ? "failed" : "finished"}: ${JSON.stringify(result)}`
