/**
 * Agents that hold a spoken conversation.
 *
 * An agent has instructions, tools and a model. `run` connects it to inputs and outputs and converses until the end;
 * `start` returns the running conversation, for programs that drive it themselves.
 *
 * @example
 * ```ts
 * class Receptionist extends BidiAgent.Service<Receptionist>()("app/Receptionist", {
 *   system: "You are a helpful voice assistant. Keep responses concise and natural.",
 *   toolkit: Toolkit.make(BidiTools.currentTime, BidiTools.stopConversation)
 * }) {}
 *
 * const Main = Effect.gen(function*() {
 *   const agent = yield* Receptionist
 *   yield* agent.run({ inputs: [BidiConsole.input()], outputs: [BidiConsole.output()] })
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { BidiError } from "./BidiError.ts"
import type { CloseReason, Output, OutputOf, OutputTag } from "./BidiEvent.ts"
import type * as BidiInput from "./BidiInput.ts"
import { BidiModel } from "./BidiModel.ts"
import type { OnBusy } from "./SessionStore.ts"
import type * as BidiOutput from "./BidiOutput.ts"
import type {
  Conversation,
  CurrentConversation,
  Greeting,
  Profile as AgentProfile,
  ToolServices
} from "./CurrentConversation.ts"
import { wrongOption } from "./internal/conversation/checkedOptions.ts"
import { converse, type Started } from "./internal/conversation/conversation.ts"
import { newId } from "./internal/ids.ts"
import { untyped } from "./internal/tools/kit.ts"
import { ended } from "./internal/connection/outbox.ts"
import type { Entry } from "./Transcript.ts"
import type {
  BeforeTool,
  PendingToolCall,
  ToolDecision,
  ConnectionOptions,
  ConversationLimits,
  Hook,
  InterruptionOptions,
  ToolOptions
} from "./ConversationOptions.ts"

export type {
  BeforeTool,
  ConnectionOptions,
  ConversationLimits,
  Hook,
  InterruptionOptions,
  PendingToolCall,
  ToolDecision,
  ToolOptions
}

/**
 * Runs `handle` for every event with the given tag, in order, in a fiber of its own. A hook cannot fail and cannot hold up
 * the conversation: its mailbox of 1024 events drops the oldest when full (metric `bidi_observer_dropped`).
 *
 * @example
 * ```ts
 * agent.run({
 *   hooks: [BidiAgent.on("Interruption", ({ heard }) => Effect.log(`cut off after ${Duration.format(heard)}`))]
 * })
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const on = <Tag extends OutputTag, R = never>(
  tag: Tag,
  handle: (event: OutputOf<Tag>) => Effect.Effect<void, never, R>
): Hook<R> => ({ tags: [tag], handle: handle as (event: Output) => Effect.Effect<void, never, R> })

/**
 * Decides about every tool call of the model before it is made, in the fiber of that call: nothing else waits. Several
 * decide one after the other, each about the input that the one before it left, until one refuses. `ToolUse` events and the
 * history hold what the model asked for. Calls that the application makes itself are not decided about.
 *
 * A decision that is not there within `timeout` (default: 500 milliseconds) is one to `refuse`, unless `onTimeout` says
 * `proceed`; one that dies always is.
 *
 * @example
 * ```ts
 * const limited = BidiAgent.beforeTool(({ name, input }) =>
 *   name === "transfer" ? Effect.succeed(BidiAgent.refuse("Transfers are closed at night.")) : Effect.succeed(BidiAgent.proceed)
 * )
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const beforeTool = <R = never>(
  decide: (call: PendingToolCall) => Effect.Effect<ToolDecision, never, R>,
  { onTimeout = "refuse", timeout = "500 millis" }: Partial<Pick<BeforeTool, "timeout" | "onTimeout">> = {}
): Hook<R> => ({ ...silent, beforeTool: { decide, timeout, onTimeout } })

/**
 * The call is made as it is.
 *
 * @category hooks
 * @since 0.1.0
 */
export const proceed: ToolDecision = { _tag: "Proceed" }

/**
 * The call is made with another input.
 *
 * @category hooks
 * @since 0.1.0
 */
export const change = (input: Schema.Json): ToolDecision => ({ _tag: "Change", input })

/**
 * The call is not made, and the model is told the reason.
 *
 * @category hooks
 * @since 0.1.0
 */
export const refuse = (reason: string): ToolDecision => ({ _tag: "Refuse", reason })

/**
 * Changes every entry before it enters the history and the session's log, so that nothing else is ever kept: for redaction.
 * It is asked again for each form of an entry, as words come. The entry keeps its id. When the function throws, the content
 * of the entry is withheld. What the model and the person hear, and events with live words, are as they were.
 *
 * While a reply is being generated, the log is not told its words, of which only a part is known.
 *
 * @example
 * ```ts
 * const redacted = BidiAgent.beforeEntry((entry) =>
 *   entry._tag === "User"
 *     ? { ...entry, parts: entry.parts.map((part) => (typeof part === "string" ? part.replace(/\d{4,}/g, "****") : part)) }
 *     : entry
 * )
 * ```
 *
 * @category hooks
 * @since 0.1.0
 */
export const beforeEntry = (change: (entry: Entry) => Entry): Hook => ({ ...silent, beforeEntry: change })

const silent: Pick<Hook, "tags" | "handle"> = { tags: [], handle: () => Effect.void }

/**
 * The options of one conversation.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions<
  Inputs extends ReadonlyArray<BidiInput.BidiInput<any, any>> = ReadonlyArray<BidiInput.BidiInput<any, any>>,
  Outputs extends ReadonlyArray<BidiOutput.BidiOutput<any, any>> = ReadonlyArray<BidiOutput.BidiOutput<any, any>>,
  Hooks extends ReadonlyArray<Hook<any>> = ReadonlyArray<Hook<any>>
> {
  readonly inputs?: Inputs
  readonly outputs?: Outputs
  readonly hooks?: Hooks
  /**
   * Whose log in the `SessionStore` this conversation continues and writes. Hooks, tools, and whoever waits for `send` learn
   * of nothing before it is durable there. Default: a session of its own, of which nothing is kept.
   */
  readonly sessionId?: string
  /**
   * What to do if the session is open elsewhere: `takeOver` (default), which ends the conversation there with
   * `SessionTaken`, or `fail` with `SessionBusy`.
   */
  readonly onBusy?: OnBusy
  /**
   * What to do if the store has failed for 30 seconds, or is 1024 records behind: `end` (default) with `StoreFailed`, or
   * `goOn` without it. An `Error` event tells of a store that begins to fail.
   */
  readonly onStoreFailure?: "end" | "goOn"
  /** Earlier messages, appended to those in the session's log, which stay as they are. */
  readonly history?: Prompt.Prompt
  /** Makes the agent speak first, unless the session has a history. */
  readonly greeting?: Greeting
  /**
   * How a session that has a history goes on. `answer` (default): what was left unanswered is answered, a reply that was cut
   * off by the end of the process is gone on with, and otherwise nobody speaks. `wait`: nobody speaks. Or the agent says
   * something.
   */
  readonly resume?: "answer" | "wait" | Greeting
  /**
   * The agents that may have taken over by `handoff` before, in this session. The one that had, by its name, goes on; what
   * their tools need has to be there. Without it the agent that is run goes on under its name and with its instructions.
   */
  readonly agents?: ReadonlyArray<Agent<any>>
  readonly connection?: ConnectionOptions
  /** Which speech interrupts the agent. Default: all speech that the provider reports. */
  readonly interruption?: InterruptionOptions
  /** How long the conversation may last, and how long it may be idle. Default: no limit. */
  readonly limits?: ConversationLimits
  /** How long tools may run and how large their results may be, unless their annotations (`BidiTool`) say otherwise. */
  readonly tools?: ToolOptions
}

/**
 * A running conversation, with its events and its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call<out E = never, Tools extends Record<string, Tool.Any> = any> extends Conversation<Tools> {
  /**
   * All events, from `ConnectionStart` to `ConnectionClose`, where the stream ends. Each event is delivered once: a stream
   * that was stopped continues with the next event when it is run again. Up to 1024 events wait; then the oldest are
   * dropped. `AudioStream`, `Reasoning` and `Unknown` events wait only after the stream has been run for the first time.
   */
  readonly events: Stream.Stream<Output>
  /**
   * Waits for the end. Fails with the error of the part that failed first; if nobody is waiting then, the failure is logged
   * at `Error`.
   */
  readonly await: Effect.Effect<CloseReason, E>
}

type InputError<Inputs extends ReadonlyArray<unknown>> = BidiInput.Error<Inputs[number]>
type OutputError<Outputs extends ReadonlyArray<unknown>> = BidiOutput.Error<Outputs[number]>
type HookServices<H> = H extends Hook<infer R> ? R : never
type Services<Tools extends Record<string, Tool.Any>, Inputs, Outputs, Hooks> = Exclude<
  ToolServices<Tools> | BidiInput.Services<Inputs> | BidiOutput.Services<Outputs> | HookServices<Hooks>,
  CurrentConversation | Scope.Scope
>

/**
 * An agent, ready to converse over any inputs and outputs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Agent<Tools extends Record<string, Tool.Any> = {}> extends AgentProfile<Tools> {
  /**
   * Converses until it is stopped, a part fails, or all inputs have ended and the last reply was heard. Interruption closes
   * everything in order.
   */
  readonly run: <
    const Inputs extends ReadonlyArray<BidiInput.BidiInput<any, any>> = [],
    const Outputs extends ReadonlyArray<BidiOutput.BidiOutput<any, any>> = [],
    const Hooks extends ReadonlyArray<Hook<any>> = []
  >(
    options: RunOptions<Inputs, Outputs, Hooks>
  ) => Effect.Effect<
    CloseReason,
    BidiError | InputError<Inputs> | OutputError<Outputs>,
    Services<Tools, Inputs[number], Outputs[number], Hooks[number]>
  >
  /**
   * Starts a conversation and returns it when the model is ready. Closing the scope stops it and waits for its end; so does
   * interrupting `start`.
   */
  readonly start: <
    const Inputs extends ReadonlyArray<BidiInput.BidiInput<any, any>> = [],
    const Outputs extends ReadonlyArray<BidiOutput.BidiOutput<any, any>> = [],
    const Hooks extends ReadonlyArray<Hook<any>> = []
  >(
    options?: RunOptions<Inputs, Outputs, Hooks>
  ) => Effect.Effect<
    Call<BidiError | InputError<Inputs> | OutputError<Outputs>, Tools>,
    BidiError | InputError<Inputs> | OutputError<Outputs>,
    Services<Tools, Inputs[number], Outputs[number], Hooks[number]> | Scope.Scope
  >
}

/**
 * Any agent, whatever its tools.
 *
 * @category models
 * @since 0.1.0
 */
export type Any = Agent<any>

// Nothing has this type. It makes the compiler's error for an array of tools say what to write instead.
interface NotAToolkit extends ReadonlyArray<Tool.Any> {
  readonly "a toolkit is made with Toolkit.make(...tools); it is not an array of tools": never
}

/**
 * What an agent is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Profile<Tools extends Record<string, Tool.Any>, E = never, R = never> {
  /** The name in `Handoff` events. Default: the id of the service, or `agent`. */
  readonly name?: string
  /** The system prompt. Omitted, the provider's default applies. */
  readonly instructions?: string
  /**
   * The tools: a `Toolkit`, whose handlers are then required, or an effect that returns a toolkit with handlers, such as
   * `BidiTools.mcp`.
   */
  readonly toolkit?: Effect.Effect<Toolkit.WithHandler<Tools>, E, R> | NotAToolkit
}

/**
 * Makes an agent, for programs that do not need a service.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* <Tools extends Record<string, Tool.Any> = {}, E = never, R = never>(
  profile: Profile<Tools, E, R>
) {
  const model = yield* BidiModel
  const toolkit = profile.toolkit as Exclude<typeof profile.toolkit, NotAToolkit>
  const resolved: AgentProfile = {
    name: profile.name ?? "agent",
    instructions: profile.instructions,
    toolkit: toolkit === undefined ? untyped(yield* Toolkit.empty) : untyped(yield* toolkit)
  }

  const converseWith = (options: RunOptions, onReady?: (started: Started) => Effect.Effect<unknown>) =>
    Effect.flatMap(newId, (id) => {
      const problem = wrongOption(options)
      if (problem !== undefined) return Effect.fail(problem)
      return converse(
        resolved,
        {
          inputs: options.inputs ?? [],
          outputs: options.outputs ?? [],
          hooks: options.hooks ?? [],
          sessionId: options.sessionId ?? id,
          journal:
            options.sessionId === undefined
              ? undefined
              : {
                  sessionId: options.sessionId,
                  onBusy: options.onBusy ?? "takeOver",
                  onStoreFailure: options.onStoreFailure ?? "end"
                },
          history: options.history,
          greeting: options.greeting,
          resume: options.resume ?? "answer",
          agents: options.agents ?? [],
          connection: options.connection ?? {},
          interruption: options.interruption ?? {},
          limits: options.limits ?? {},
          tools: options.tools ?? {}
        },
        onReady
      )
    }).pipe(Effect.provideService(BidiModel, model))

  const run = (options: RunOptions) => converseWith(options)

  // An interrupted `start` has started nothing: when the interruption returns, everything is closed.
  const start = (options: RunOptions = {}) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const ready = yield* Deferred.make<Started, unknown>()
        let awaited = false
        const fiber = yield* Effect.interruptible(
          converseWith(options, (started) => Deferred.succeed(ready, started))
        ).pipe(
          Effect.onExit((exit) => {
            const answer = Exit.isFailure(exit) ? Exit.failCause(exit.cause) : Exit.fail(ended())
            return Deferred.doneUnsafe(ready, answer) || awaited ? Effect.void : logFailure(exit)
          }),
          Effect.forkScoped({ startImmediately: true })
        )
        const { conversation, events } = yield* Effect.onInterrupt(restore(Deferred.await(ready)), () =>
          Fiber.interrupt(fiber)
        )
        const end = Effect.suspend(() => {
          awaited = true
          return Fiber.join(fiber)
        })
        return { ...conversation, events, await: end } satisfies Call<unknown>
      })
    )

  return { ...resolved, start, run } as unknown as Agent<Tools>
})

// Otherwise a failure that nobody awaits would be lost.
const logFailure = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
    ? Effect.logError("A conversation failed while nobody was awaiting it", exit.cause)
    : Effect.void

/**
 * Defines an agent as a service. Its `layer` requires a model and the handlers of the tools.
 *
 * @category services
 * @since 0.1.0
 */
export const Service =
  <Self>() =>
  <const Id extends string, Tools extends Record<string, Tool.Any> = {}, E = never, R = never>(
    id: Id,
    profile: Profile<Tools, E, R>
  ): Context.ServiceClass<Self, Id, Agent<Tools>> & {
    readonly layer: Layer.Layer<Self, E, Exclude<R, Scope.Scope> | BidiModel>
  } => {
    const service = Context.Service<Self, Agent<Tools>>()(id)
    return Object.assign(service, { layer: Layer.effect(service, make({ name: id, ...profile })) }) as any
  }
