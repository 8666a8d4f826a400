/**
 * One conversation: its services, opened from top to bottom in one scope, closed from bottom to top.
 */
import type * as Prompt from "effect/ai/Prompt"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Audio from "../../Audio.ts"
import { BidiError, Unanswered } from "../../BidiError.ts"
import { type CloseReason, fromError, type Output } from "../../BidiEvent.ts"
import type { BidiInput } from "../../BidiInput.ts"
import { BidiModel, type Profile as ModelProfile } from "../../BidiModel.ts"
import type { BidiOutput } from "../../BidiOutput.ts"
import { type Conversation, CurrentConversation, type Greeting, type Profile } from "../../CurrentConversation.ts"
import type {
  ConnectionOptions,
  ConversationLimits,
  Hook,
  InterruptionOptions,
  ToolOptions
} from "../../ConversationOptions.ts"
import * as Transcript from "../../Transcript.ts"
import { Approvals } from "../tools/approvals.ts"
import * as InterruptionPolicy from "../turns/interruptionPolicy.ts"
import { Closing } from "./closing.ts"
import * as Supervisor from "../connection/supervisor.ts"
import { logEvents } from "../events/debugLog.ts"
import { InputGate } from "../turns/inputGate.ts"
import { ending, isOf, type Lost, withHowMuch } from "./ending.ts"
import { Fanout } from "../events/fanout.ts"
import { ConnectionMetrics } from "../connection/metrics.ts"
import * as Interrupter from "../turns/interruption.ts"
import * as Limits from "./limits.ts"
import * as History from "../history/history.ts"
import * as Observers from "../events/observers.ts"
import * as Outbox from "../connection/outbox.ts"
import * as Outputs from "../playback/outputs.ts"
import { guarded, onInsideInterrupt } from "./parts.ts"
import { Ledger } from "../playback/ledger.ts"
import { Receiver } from "../turns/receive.ts"
import * as Agents from "./agents.ts"
import { UninterruptibleSpeech } from "../turns/uninterruptible.ts"
import type { Services } from "./services.ts"
import { RunningCall } from "../tools/runningCall.ts"
import * as Sender from "./send.ts"
import * as Tools from "../tools/tools.ts"
import { REPLY_TIMEOUT, TurnState } from "../turns/turnState.ts"
import { Transcriber } from "../history/transcriber.ts"

/** Everything one conversation is made of. Requirements and errors of the parts are the caller's to know. */
export interface Plan {
  readonly inputs: ReadonlyArray<BidiInput<unknown, any>>
  readonly outputs: ReadonlyArray<BidiOutput<unknown, any>>
  readonly hooks: ReadonlyArray<Hook<any>>
  readonly sessionId: string
  readonly history: Prompt.Prompt | undefined
  readonly greeting: Greeting | undefined
  readonly limits: ConversationLimits
  readonly interruption: InterruptionOptions
  readonly tools: ToolOptions
  readonly connection: ConnectionOptions
}

/** What whoever started a conversation holds of it. */
export interface Started {
  readonly conversation: Conversation
  /** The events from the beginning, each to be taken once. */
  readonly events: Stream.Stream<Output>
}

// What a recording that has ended is followed by, in real time.
const SILENCE = "100 millis"

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
    let lost: Lost | undefined
    const conversation = untilEnd(profile, plan, onReady, (what) => {
      lost = what
    })
    return Effect.matchCauseEffect(conversation, {
      onSuccess: (reason) => (lost === undefined ? Effect.succeed(reason) : Effect.fail(lost.error)),
      onFailure: (cause) => Effect.failCause(lost === undefined ? cause : withHowMuch(cause, lost))
    })
  }).pipe(Effect.annotateLogs({ session: plan.sessionId }))

const untilEnd = (
  profile: Profile,
  plan: Plan,
  onReady: ((started: Started) => Effect.Effect<unknown>) | undefined,
  onLost: (lost: Lost) => void
): Effect.Effect<CloseReason, unknown, any> =>
  Effect.scoped(
    Effect.gen(function* () {
      const ended = yield* Deferred.make<CloseReason, unknown>()
      const fail = (cause: Cause.Cause<unknown>) => void Deferred.doneUnsafe(ended, Exit.failCause(cause))
      const stop = (reason: CloseReason) => Effect.asVoid(Deferred.succeed(ended, reason))

      const clock = yield* Clock.Clock
      const closing = new Closing(() => clock.currentTimeMillisUnsafe())
      const history = yield* openMemory(closing, plan, fail, onLost)
      const services = yield* makeRooms(history)
      const interrupter = yield* Interrupter.make(services)
      const over = { isOver: () => Deferred.isDoneUnsafe(ended), wait: Effect.exit(Deferred.await(ended)) }
      const untilOver = (waiting: Effect.Effect<void>) => Effect.raceFirst(waiting, Effect.asVoid(over.wait))
      const sender = yield* Sender.make(services, interrupter, over)
      const approvals = new Approvals(services.fanout)
      const ready = yield* Deferred.make<Tools.Tools>()
      const model = yield* Deferred.make<Supervisor.Supervisor>()
      const profiles = Agents.make(profile, services.fanout, (to, onConfirmed) =>
        sender.orEnded(Effect.flatMap(Deferred.await(model), (supervisor) => supervisor.configure(to, onConfirmed)))
      )
      let events: Pick<Observers.Everything, "stream" | "caughtUp"> = { stream: Stream.empty, caughtUp: Effect.void }
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
        history: Effect.sync(() => Transcript.toPrompt(services.transcriber.heardSoFar())),
        heard: (responseId) => Effect.sync(() => services.transcriber.heardOf(responseId)),
        awaitSilence: untilOver(services.turn.awaitSilence),
        awaitIdle: untilOver(
          Effect.andThen(
            // a tool that waits does not wait for itself
            Effect.flatMap(RunningCall, (running) =>
              running?.ofModel === undefined ? services.turn.awaitIdle : services.turn.awaitIdleBeside(running.ofModel)
            ),
            Effect.suspend(() => events.caughtUp)
          )
        )
      }
      const open = Effect.gen(function* () {
        yield* logEvents(services.fanout)
        yield* openObservers(closing, services, plan.hooks, fail)
        if (onReady !== undefined) events = yield* openEvents(closing, services)
        const started = onReady?.({ conversation, events: events.stream })
        yield* openOutputs(closing, services, plan.outputs, fail)
        let connectionId = () => ""
        // nothing writes to the memory any more, and whoever listens still does
        yield* Effect.addFinalizer((exit) =>
          Effect.map(history.close, (error) => {
            const how = ending(exit as Exit.Exit<CloseReason, unknown>, lostOf(history, error))
            services.fanout.close({ _tag: "ConnectionClose", connectionId: connectionId(), ...how })
          })
        )
        const tools = yield* closing.part("the tools", Tools.make(services, profiles.kit, approvals, plan.tools))
        // what must not be interrupted is waited for before anything of the tools closes
        yield* Effect.addFinalizer(() => tools.finish)
        Deferred.doneUnsafe(ready, Exit.succeed(tools))
        const policy = yield* InterruptionPolicy.make(services, interrupter, plan.interruption)
        const receiver = new Receiver(services, interrupter, policy, tools)
        const supervisor = yield* openModel(
          closing,
          services,
          receiver,
          interrupter,
          profiles.configuration(),
          plan.connection,
          fail
        )
        connectionId = supervisor.connectionId
        Deferred.doneUnsafe(model, Exit.succeed(supervisor))
        if (plan.greeting !== undefined && history.transcript().length === 0) sender.greet(plan.greeting)
        const inputs = yield* openInputs(closing, services, sender, plan.inputs, fail)
        // it has started, also when all inputs have ended already
        if (started !== undefined) yield* started
        yield* Effect.forkScoped(Effect.ignore(Effect.andThen(inputs, endOfInputs(services, plan.inputs.length, stop))))
        yield* Effect.forkScoped(Limits.watch(services, plan.limits, stop))
        yield* Effect.forkScoped(services.turn.patience)
        return yield* Effect.never
      })

      // Before anything closes: nothing more is sent, nothing more opens, and nobody speaks.
      const hush = (exit: Exit.Exit<CloseReason, unknown>, opening: Fiber.Fiber<unknown, unknown>) => {
        Deferred.doneUnsafe(ended, exit)
        const error = Option.getOrUndefined(Exit.findErrorOption(exit))
        services.outbox.end(error instanceof BidiError ? error : Outbox.ended())
        const because = Exit.isFailure(exit) && !Exit.hasInterrupts(exit) ? "error" : "manual"
        return Effect.andThen(closing.stop(opening), interrupter.interrupt(because, true))
      }

      // Parts open in a fiber of their own: whoever ends it does not wait for those that are still opening.
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const opening = yield* Effect.interruptible(open).pipe(
            Effect.provideService(CurrentConversation, conversation),
            Effect.onError((cause) => Effect.sync(() => fail(cause))),
            Effect.forkDetach({ startImmediately: true })
          )
          return yield* Effect.onExit(restore(Deferred.await(ended)), (exit) => hush(exit, opening))
        })
      )
    })
  )

const unanswered = new BidiError({
  reason: new Unanswered({
    message: `a reply was asked for and has not begun within ${REPLY_TIMEOUT / 1000} seconds; it is not waited for any more`
  })
})

type Fail = (cause: Cause.Cause<unknown>) => void

const makeRooms = Effect.fnUntraced(function* (history: History.History) {
  const model = guarded(yield* BidiModel)
  const fanout = new Fanout()
  const ledger = new Ledger()
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const outbox: Outbox.Outbox = yield* Outbox.make(
    model.input,
    (error) => fanout.emit(fromError(error)),
    () => turn.changed(),
    now
  )
  const turn: TurnState = new TurnState(
    ledger,
    () => !outbox.isEmpty(),
    now,
    () => {
      uninterruptible.lift()
      fanout.emit(fromError(unanswered))
    }
  )
  const transcriber = new Transcriber(fanout, history, ledger, turn, now)
  const uninterruptible: UninterruptibleSpeech = new UninterruptibleSpeech(turn, ledger)
  return {
    model,
    fanout,
    history,
    ledger,
    outbox,
    transcriber,
    metrics: new ConnectionMetrics(clock, yield* Effect.context<never>()),
    turn,
    uninterruptible,
    inputGate: new InputGate(model.input, outbox.audio, turn, uninterruptible, now),
    outputs: yield* Outputs.make(model.output, fanout, ledger),
    untold: new Set<string>(),
    generation: { current: 0, gone: 0 },
    now
  } satisfies Services
})

const openMemory = Effect.fnUntraced(function* (
  closing: Closing,
  plan: Plan,
  fail: Fail,
  onLost: (lost: Lost) => void
) {
  const initial = plan.history === undefined ? Transcript.empty : Transcript.fromPrompt(plan.history)
  const history = yield* closing.part("the memory", History.make(plan.sessionId, initial, fail))
  yield* Effect.addFinalizer((exit) =>
    Effect.flatMap(history.close, (error) => {
      const lost = lostOf(history, error)
      if (lost === undefined) return Effect.void
      onLost(lost)
      return Exit.isSuccess(exit) || isOf(exit.cause, lost) ? Effect.void : Effect.logError(lost.error.message)
    })
  )
  return history
})

const lostOf = (history: History.History, error: BidiError | undefined): Lost | undefined =>
  error === undefined ? undefined : { error, failure: history.failure() }

const openObservers = (closing: Closing, services: Services, hooks: ReadonlyArray<Hook<any>>, fail: Fail) =>
  Effect.forEach(
    hooks,
    (hook) => {
      const name = `a hook on ${hook.tags.join(", ")}`
      return closing.part(
        name,
        Effect.gen(function* () {
          const mailbox = yield* Observers.mailbox(services.fanout, hook.tags)
          const end = Effect.sync(() => mailbox.done(Exit.fail(Cause.Done())))
          yield* closing.worker(name, Observers.watch(mailbox, hook.handle), end, fail)
        })
      )
    },
    { discard: true }
  )

const openEvents = (closing: Closing, services: Services) =>
  closing.part(
    "the events",
    Effect.gen(function* () {
      const everything = yield* Observers.everything(services.fanout)
      yield* Effect.addFinalizer(() => Queue.end(everything.queue))
      return everything
    })
  )

const openOutputs = (
  closing: Closing,
  services: Services,
  outputs: ReadonlyArray<BidiOutput<unknown, any>>,
  fail: Fail
) =>
  Effect.forEach(
    outputs,
    (output) => {
      const name = `the output "${output.name}"`
      return closing.part(
        name,
        Effect.gen(function* () {
          const connected = yield* output.open
          yield* closing.worker(name, connected.run, connected.end, fail)
          services.outputs.add(output, connected)
        })
      )
    },
    { discard: true }
  )

const openModel = (
  closing: Closing,
  services: Services,
  receiver: Receiver,
  interrupter: Interrupter.Interrupter,
  configuration: ModelProfile,
  options: ConnectionOptions,
  fail: Fail
) =>
  closing.part(
    "the model",
    Effect.gen(function* () {
      const supervisor = yield* Supervisor.make(services, receiver, interrupter, configuration, options)
      yield* supervisor.open
      yield* Effect.forkScoped(Effect.onError(supervisor.keep, (cause) => Effect.sync(() => fail(cause))))
      return supervisor
    })
  )

/** Answers with the end of all inputs. */
const openInputs = Effect.fnUntraced(function* (
  closing: Closing,
  services: Services,
  sender: Sender.Sender,
  inputs: ReadonlyArray<BidiInput<unknown, any>>,
  fail: Fail
) {
  const fibers = yield* Effect.forEach(inputs, (input) =>
    closing.part(
      `the input "${input.name}"`,
      Effect.forkScoped(listen(services, sender, input, fail), { startImmediately: true })
    )
  )
  return Effect.forEach(fibers, Fiber.join, { discard: true })
})

const listen = ({ inputGate, fanout }: Services, sender: Sender.Sender, from: BidiInput<unknown, any>, fail: Fail) => {
  const { name } = from
  const failed = (cause: Cause.Cause<unknown>) => Effect.sync(() => fail(cause))
  const refused = (error: BidiError) => Effect.andThen(failed(Cause.fail(error)), Effect.never)
  const tell = (error: BidiError) => Effect.sync(() => fanout.emit(fromError(error)))
  return from
    .run((input) => {
      // a frame of audio passes at once; only the rest is worth an effect
      if (input._tag === "TurnCommit") return Effect.catch(Effect.catchIf(sender.send(input), isTap, tell), refused)
      if (input._tag !== "AudioInput") return Effect.catch(sender.send(input), refused)
      const problem = inputGate.hear(input, name)
      return problem === undefined ? undefined : refused(Sender.invalid(problem))
    })
    .pipe(
      // what it listened to was taken away (a queue that was shut down): that is its end
      (listening) =>
        onInsideInterrupt(listening, () => Effect.logDebug(`the input "${name}" was interrupted: it has ended`)),
      Effect.onError(failed)
    )
}

// Somebody pressed the button and said nothing: no reason to end the call.
const isTap = ({ reason }: BidiError) => reason._tag === "InvalidRequest"

const endOfInputs = Effect.fnUntraced(function* (
  services: Services,
  count: number,
  stop: (reason: CloseReason) => Effect.Effect<void>
) {
  if (count === 0) return
  const { inputGate, model, now, outbox, turn } = services
  // answers whether the connection lived to hear it
  const silence = Effect.gen(function* () {
    for (const since = now(); inputGate.waitsForSilence(since);) {
      if (!turn.online) return false
      outbox.audio.silence(Audio.silence(model.input, SILENCE))
      yield* Effect.sleep(SILENCE)
    }
    return true
  })
  // a connection that hears again what was said hears the silence after it again
  for (let over = outbox.audio.brought === 0; !over;) {
    yield* turn.until(() => turn.online)
    const heard = yield* silence
    yield* turn.until(() => turn.atRest || !turn.online)
    over = heard && turn.atRest
  }
  yield* turn.awaitIdle
  yield* stop("complete")
})
