/**
 * One conversation: its services, opened from top to bottom in one scope, closed from bottom to top.
 */
import type * as Prompt from "effect/ai/Prompt"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { BidiError } from "../../BidiError.ts"
import { type CloseReason, fromError, type Output } from "../../BidiEvent.ts"
import type { BidiInput } from "../../BidiInput.ts"
import type { BidiOutput } from "../../BidiOutput.ts"
import { type Conversation, CurrentConversation, type Greeting, type Profile } from "../../CurrentConversation.ts"
import type {
  ConnectionOptions,
  ConversationLimits,
  BeforeTool,
  Hook,
  InterruptionOptions,
  ToolOptions
} from "../../ConversationOptions.ts"
import * as Transcript from "../../Transcript.ts"
import * as Approvals from "../tools/approvals.ts"
import * as InterruptionPolicy from "../turns/interruptionPolicy.ts"
import { Shutdown } from "./shutdown.ts"
import type { Supervisor } from "../connection/supervisor.ts"
import { logEvents } from "../events/debugLog.ts"
import { closeEvent, isFailureOf, type IncompleteLog, withMissing } from "./ending.ts"
import * as Interrupter from "../turns/interruption.ts"
import * as Limits from "./limits.ts"
import { redaction } from "../history/redaction.ts"
import * as History from "../history/history.ts"
import * as Journal from "../session/journal.ts"
import { isSilent, leftBehind } from "../session/settling.ts"
import { Fanout } from "../events/fanout.ts"
import type { EventStream } from "../events/eventStream.ts"
import * as Outbox from "../connection/outbox.ts"
import { Receiver } from "../turns/receiver.ts"
import * as Agents from "./agents.ts"
import * as Inputs from "./inputs.ts"
import { type Fail, openEvents, openHooks, openModel, openOutputs } from "./parts.ts"
import * as Services from "./services.ts"
import { RunningCall } from "../tools/runningCall.ts"
import * as Sender from "./sender.ts"
import * as State from "./state.ts"
import * as Tools from "../tools/tools.ts"

/** What one conversation is made of. The caller knows the requirements and errors of its parts. */
export interface Plan {
  readonly inputs: ReadonlyArray<BidiInput<unknown, any>>
  readonly outputs: ReadonlyArray<BidiOutput<unknown, any>>
  readonly hooks: ReadonlyArray<Hook<any>>
  readonly sessionId: string
  /** Whose log is continued and written; none is for a session that nobody named. */
  readonly journal: Journal.JournalOptions | undefined
  readonly history: Prompt.Prompt | undefined
  readonly greeting: Greeting | undefined
  readonly resume: "answer" | "wait" | Greeting
  readonly agents: ReadonlyArray<Profile>
  readonly limits: ConversationLimits
  readonly interruption: InterruptionOptions
  readonly tools: ToolOptions
  readonly connection: ConnectionOptions
}

/** A conversation that has started. */
export interface Started {
  readonly conversation: Conversation
  /** All events from the beginning, each delivered once. */
  readonly events: Stream.Stream<Output>
}

/**
 * Runs a conversation until it ends, and answers with the reason. Its error is that of the part that failed first; if none
 * did, or if that was the session's log, it is what is missing there. `onReady` is for whoever drives it by hand; without it nobody takes the
 * events, and none are kept.
 */
export const converse = (
  profile: Profile,
  plan: Plan,
  onReady?: (started: Started) => Effect.Effect<unknown>
): Effect.Effect<CloseReason, unknown, any> =>
  Effect.suspend(() => {
    let lost: IncompleteLog | undefined
    const conversation = untilEnd(profile, plan, onReady, (what) => {
      lost = what
    })
    return Effect.matchCauseEffect(conversation, {
      onSuccess: (reason) => (lost === undefined ? Effect.succeed(reason) : Effect.fail(lost.error)),
      onFailure: (cause) => Effect.failCause(lost === undefined ? cause : withMissing(cause, lost))
    })
  }).pipe(Effect.annotateLogs({ session: plan.sessionId }))

const untilEnd = (
  profile: Profile,
  plan: Plan,
  onReady: ((started: Started) => Effect.Effect<unknown>) | undefined,
  onLost: (lost: IncompleteLog) => void
): Effect.Effect<CloseReason, unknown, any> =>
  Effect.scoped(
    Effect.gen(function* () {
      const ended = yield* Deferred.make<CloseReason, unknown>()
      const fail = (cause: Cause.Cause<unknown>) => void Deferred.doneUnsafe(ended, Exit.failCause(cause))
      const stop = (reason: CloseReason) => Effect.asVoid(Deferred.succeed(ended, reason))

      const clock = yield* Clock.Clock
      const now = () => clock.currentTimeMillisUnsafe()
      const shutdown = new Shutdown(now)
      const fanout = new Fanout(now)
      const [journal, history] = yield* openHistory(shutdown, plan, fanout, fail, onLost)
      const services = yield* Services.make(fanout, journal, history)
      if (plan.resume === "answer") services.turn.leftBehind(leftBehind(journal.restored))
      let onInterruption = () => {}
      const interrupter = yield* Interrupter.make(services, () => onInterruption())
      const over = { isOver: () => Deferred.isDoneUnsafe(ended), wait: Effect.exit(Deferred.await(ended)) }
      const untilOver = (waiting: Effect.Effect<void>) => Effect.raceFirst(waiting, Effect.asVoid(over.wait))
      const sender = yield* Sender.make(services, interrupter, over)
      const approvals = Approvals.make(fanout, journal, over.isOver)
      const ready = yield* Deferred.make<Tools.Tools>()
      const model = yield* Deferred.make<Supervisor>()
      const initial = yield* Agents.restored(profile, plan.agents, journal)
      const profiles = Agents.make(initial, fanout, journal, (to, onConfirmed) =>
        sender.orEnded(Effect.flatMap(Deferred.await(model), (supervisor) => supervisor.configure(to, onConfirmed)))
      )
      let events: Pick<EventStream, "stream" | "caughtUp"> = { stream: Stream.empty, caughtUp: Effect.void }
      const conversation: Conversation = {
        sessionId: plan.sessionId,
        model: services.model,
        send: sender.send,
        say: sender.say,
        respond: sender.respond,
        note: sender.note,
        interrupt: ({ force = false } = {}) => Effect.asVoid(interrupter.interrupt("manual", force)),
        mute: (input) => Effect.sync(() => services.inputGate.mute(input)),
        unmute: (input) => Effect.sync(() => services.inputGate.unmute(input)),
        approve: (id) => approvals.decide(id, { approved: true }),
        reject: (id, reason = "it was rejected") => approvals.decide(id, { approved: false, reason }),
        callTool: (name, input, { record = false } = {}) =>
          Effect.andThen(
            sender.orEnded(Effect.asVoid(Deferred.await(ready))),
            Effect.flatMap(Deferred.await(ready), (tools) => tools.callDirectly(name, input, record))
          ),
        update: profiles.update,
        handoff: profiles.handoff,
        stop: (reason = "client_disconnect") => stop(reason),
        state: State.make(journal, sender.orEnded),
        history: Effect.sync(() => Transcript.toPrompt(services.transcriber.heard.transcript())),
        heard: (responseId) => Effect.sync(() => services.transcriber.heard.ofResponse(responseId)),
        awaitSilence: untilOver(services.turn.awaitSilence),
        awaitIdle: untilOver(
          Effect.andThen(
            // a tool does not wait for its own call
            Effect.flatMap(RunningCall, (running) =>
              running?.ofModel === undefined ? services.turn.awaitIdle : services.turn.awaitIdleBeside(running.ofModel)
            ),
            Effect.suspend(() => events.caughtUp)
          )
        )
      }
      const open = Effect.gen(function* () {
        yield* logEvents(services.fanout)
        yield* openHooks(shutdown, services, plan.hooks, fail)
        if (onReady !== undefined) events = yield* openEvents(shutdown, services)
        const started = onReady?.({ conversation, events: events.stream })
        yield* openOutputs(shutdown, services, plan.outputs, fail)
        const told = Effect.sync(() => services.transcriber.heardLog.checkpoint())
        let connectionId = () => ""
        // nothing writes to the history any more, and the observers still run
        yield* Effect.addFinalizer((exit) =>
          Effect.map(Effect.andThen(told, endLog(journal, exit)), (error) => {
            const how = closeEvent(exit as Exit.Exit<CloseReason, unknown>, lostOf(journal, error))
            services.fanout.close({ _tag: "ConnectionClose", connectionId: connectionId(), ...how })
          })
        )
        // what they need is in the context
        const decisions = plan.hooks.flatMap(
          ({ beforeTool }) => beforeTool ?? []
        ) as unknown as ReadonlyArray<BeforeTool>
        const tools = yield* shutdown.part(
          "the tools",
          Tools.make(services, profiles.kit, approvals, plan.tools, decisions)
        )
        // waits for uninterruptible calls before anything of the tools closes
        yield* Effect.addFinalizer(() => tools.finish)
        onInterruption = tools.interrupted
        Deferred.doneUnsafe(ready, Exit.succeed(tools))
        const policy = yield* InterruptionPolicy.make(services, interrupter, plan.interruption)
        const receiver = new Receiver(services, interrupter, policy, tools)
        const supervisor = yield* openModel(
          shutdown,
          services,
          receiver,
          interrupter,
          profiles.configuration(),
          plan.connection,
          fail
        )
        connectionId = supervisor.connectionId
        Deferred.doneUnsafe(model, Exit.succeed(supervisor))
        tools.wait(journal.restored.approvals)
        const { greeting, resume } = plan
        const words = history.transcript().every(isSilent) ? greeting : typeof resume === "object" ? resume : undefined
        if (words !== undefined) sender.greet(words)
        const inputs = yield* Inputs.open(shutdown, services, sender, plan.inputs, fail)
        // the conversation has started, even if all inputs have ended already
        if (started !== undefined) yield* started
        yield* Effect.forkScoped(
          Effect.ignore(Effect.andThen(inputs, Inputs.finish(services, plan.inputs.length, stop)))
        )
        yield* Effect.forkScoped(Limits.enforce(services, plan.limits, stop))
        yield* Effect.forkScoped(services.turn.dropOverdueReplies)
        yield* Effect.forkScoped(services.audible.watch)
        yield* Effect.forkScoped(services.transcriber.heardLog.watch(services.turn))
        return yield* Effect.never
      })

      // Before anything closes: nothing is sent, nothing opens, and the agent is silent.
      const silence = (exit: Exit.Exit<CloseReason, unknown>, opening: Fiber.Fiber<unknown, unknown>) => {
        Deferred.doneUnsafe(ended, exit)
        const error = Option.getOrUndefined(Exit.findErrorOption(exit))
        services.outbox.end(error instanceof BidiError ? error : Outbox.ended())
        const because = Exit.isFailure(exit) && !Exit.hasInterrupts(exit) ? "error" : "manual"
        return Effect.andThen(shutdown.stop(opening), interrupter.interrupt(because, true))
      }

      // Parts open in a fiber of their own, so that the end does not wait for those that are still opening.
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const opening = yield* Effect.interruptible(open).pipe(
            Effect.provideService(CurrentConversation, conversation),
            Effect.onError((cause) => Effect.sync(() => fail(cause))),
            Effect.forkDetach({ startImmediately: true })
          )
          return yield* Effect.onExit(restore(Deferred.await(ended)), (exit) => silence(exit, opening))
        })
      )
    })
  )

const openHistory = Effect.fnUntraced(function* (
  shutdown: Shutdown,
  plan: Plan,
  fanout: Fanout,
  fail: Fail,
  onLost: (lost: IncompleteLog) => void
) {
  const initial = plan.history === undefined ? Transcript.empty : yield* Transcript.fromPrompt(plan.history)
  const onTrouble = (error: BidiError) => fanout.emit(fromError(error))
  const journal = yield* shutdown.part("the session", Journal.open(plan.journal, { onFailure: fail, onTrouble }))
  const history = yield* History.make(
    fanout,
    journal,
    initial,
    redaction(
      plan.hooks.flatMap(({ beforeEntry }) => beforeEntry ?? []),
      (error) =>
        fanout.emit(fromError(Sender.invalid(`a beforeEntry hook threw, and the entry is withheld: ${String(error)}`)))
    )
  )
  yield* Effect.addFinalizer((exit) =>
    Effect.flatMap(endLog(journal, exit), (error) => {
      const lost = lostOf(journal, error)
      if (lost === undefined) return Effect.void
      onLost(lost)
      return Exit.isSuccess(exit) || isFailureOf(exit.cause, lost) ? Effect.void : Effect.logError(lost.error.message)
    })
  )
  return [journal, history] as const
})

// The first of those who close the log says how it ended.
const endLog = (journal: Journal.Journal, exit: Exit.Exit<unknown, unknown>) =>
  Effect.suspend(() => {
    if (!journal.isClosed()) {
      const { reason } = closeEvent(exit as Exit.Exit<CloseReason, unknown>, undefined)
      journal.write({ _tag: "Closed", reason })
    }
    return journal.close
  })

const lostOf = (journal: Journal.Journal, error: BidiError | undefined): IncompleteLog | undefined =>
  error === undefined ? undefined : { error, failure: journal.failure() }
