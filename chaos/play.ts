/**
 * Plays one conversation: a real agent, through the real SDK, over real sockets, against the provider's emulator.
 */
import { BidiAgent, type BidiError, type BidiEvent, BidiInput, SessionStore, type Transcript } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { type Emulator, Fault } from "@effect-bidi/emulator"
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { faster } from "./clock.ts"
import * as Fibers from "./fibers.ts"
import { labs } from "./lab.ts"
import * as Mind from "./mind.ts"
import { type Action, awaitsChange, type Hit, MAX_PAYLOAD, type Plan } from "./plan.ts"
import * as Remote from "./remote.ts"
import * as Speech from "./speech.ts"
import * as Store from "./store.ts"

/** What became of it. */
export interface Outcome {
  readonly plan: Plan
  readonly exit: Exit.Exit<BidiEvent.CloseReason, unknown>
  readonly log: ReadonlyArray<Emulator.Entry>
  readonly events: ReadonlyArray<BidiEvent.Output>
  readonly history: Prompt.Prompt
  readonly mind: Mind.Mind
  /** Texts whose `send` succeeded, and the errors of the others. */
  readonly sent: ReadonlyArray<string>
  readonly refused: ReadonlyArray<unknown>
  /** Texts of which it is not known whether they are kept: the store did not take them before the end. */
  readonly unkept: ReadonlyArray<string>
  readonly spoken: ReadonlyArray<string>
  /** What came of no reply though all was at rest. */
  readonly owed: Owed
  /** Versions of the instructions, in the order in which the changes ended, and why those do not hold that do not. */
  readonly changes: ReadonlyArray<Changed>
  /** After how many connections the user interrupted while there was none. */
  readonly interruptedAfter: ReadonlyArray<number>
  /** The log of the session, where there is a store. */
  readonly stored: ReadonlyArray<Transcript.Entry>
  /** Results of tools, in the order in which the tools ran. */
  readonly ran: ReadonlyArray<string>
  readonly hits: ReadonlyArray<string>
  /** What did not end in time. */
  readonly stuck: string | undefined
  /** For how long nothing in this process could go on, at the most, in milliseconds. */
  readonly heldUp: number
  readonly sockets: number
  readonly fibers: number
  readonly millis: number
}

/** What the model had not done when everything was at rest: replied to these results, said these texts. */
export interface Owed {
  readonly results: ReadonlyArray<string>
  readonly texts: ReadonlyArray<string>
}

/** A change of the instructions. */
export interface Changed {
  readonly version: number
  readonly error: unknown
}

const RETRIES = 3
const RETRY = Schedule.spaced("25 millis")
const LATER = Schedule.spaced("500 millis") // of a conversation that hurries
const PATIENCE = "60 seconds"
const SESSION = "chaos"
const LAST_WORDS = 10 // texts, until one is answered
const HURRY = 10 // how much faster the clock is of a conversation that hurries

/** The instructions, by which the provider shows whom it took the agent for. */
const instructions = (version: number) => `You are tested. This is version v${version}.`

const toolkit = Toolkit.make(
  Tool.make("work", { parameters: Schema.Struct({ name: Schema.String }), success: Schema.String })
)

export const play = Effect.fnUntraced(function* (plan: Plan): Effect.fn.Return<Outcome, Emulator.ListenError> {
  const started = Date.now()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const lab = labs[plan.provider]
  const mind = Mind.make()
  const count = Fibers.count()
  const ran: Array<string> = []
  const sent: Array<string> = []
  const refused: Array<unknown> = []
  const unkept: Array<string> = []
  const spoken: Array<string> = []
  const changes: Array<Changed> = []
  const interruptedAfter: Array<number> = []
  const wished: Array<string> = []
  let owed: Owed = { results: [], texts: [] }
  const owes = () => {
    owed = {
      results: ran.filter((result) => !result.startsWith("done-d") && !mind.noticed.has(result)),
      texts: wished.filter((text) => !mind.said.includes(text))
    }
  }
  const store = yield* Store.make(plan.store)
  const hits: Array<string> = []
  const recorder = BidiTest.recorder()
  let stuck: string | undefined
  let history: Prompt.Prompt | undefined

  const handlers = toolkit.toLayer({
    work: ({ name }) =>
      Effect.suspend(() => {
        const [, of, lasts] = /^tool-(\w+)-(\d+)$/.exec(name) ?? []
        const result = `done-${of ?? `storm${ran.length}`}`
        ran.push(result)
        return Effect.as(Effect.sleep(Number(lasts ?? 5)), result)
      })
  })

  return yield* Effect.scoped(
    Effect.gen(function* () {
      const emulator = yield* lab.emulate({
        speed: Number.POSITIVE_INFINITY,
        voice: "tones",
        assistant: mind.assistant,
        transcribe: Speech.understand,
        seed: plan.seed,
        log: { entries: 100_000 },
        faults: plan.clock?.faults ?? [],
        ...(plan.maxPayload === undefined ? {} : { maxPayload: plan.maxPayload })
      })
      const microphone = yield* Queue.unbounded<BidiEvent.Input, Cause.Done>()

      const conversation = Effect.gen(function* () {
        const scope = yield* Effect.scope
        const agent = yield* BidiAgent.make({ instructions: instructions(0), toolkit })
        const speaker = yield* BidiTest.speaker()
        const remote = Remote.make(plan.reports, plan.seed)
        const call = yield* agent.start({
          sessionId: SESSION,
          inputs: [BidiInput.make("microphone", Stream.fromQueue(microphone))],
          outputs: [
            recorder.output,
            ...(plan.speaker === "device" ? [speaker.output] : []),
            ...(plan.speaker === "remote" ? [remote.output] : [])
          ],
          connection: {
            retry: plan.fate === "gives up" ? Schedule.upTo(RETRY, { times: RETRIES }) : plan.hurries ? LATER : RETRY,
            ...(plan.hits.some(({ kind }) => kind === "unconfirmed change") ? { timeout: "4 seconds" } : {}),
            ...(plan.fate === "limit" ? { renew: false } : {}),
            ...(plan.renewAfter === undefined ? {} : { renew: { after: plan.renewAfter, wait: "1 second" } })
          }
        })
        yield* Effect.forkChild(remote.report(call.send))
        const type = (text: string, image = false) =>
          call.send(image ? [text, { _tag: "ImageInput", image: PIXEL, mimeType: "image/png" }] : text).pipe(
            Effect.match({
              onSuccess: () => void sent.push(text),
              onFailure: (error) => void (isUnkept(plan, error) ? unkept.push(text) : refused.push(error))
            })
          )

        const understood = (phrase: string) =>
          mind.answered.includes(phrase) ||
          recorder.events().some((event) => event._tag === "TranscriptStream" && event.currentTranscript === phrase)

        const act = ({ does, lasts }: Action, n: number): Effect.Effect<unknown> => {
          switch (does) {
            case "type":
              return type(`m${n}`)
            case "show":
              return type(`m${n}`, lab.images)
            case "ask for a tool":
              return type(`m${n} tool-a${n}-${lasts}`)
            case "ask for tools":
              return type(`m${n} tool-a${n}-${lasts} tool-b${n}-0 tool-c${n}-20`)
            // no text of it counts: the provider closes, and it is refused to whoever sent it or told as an error
            case "type too much":
              hits.push("message too large")
              return Effect.ignore(call.send(`x${n} ${"much ".repeat(MAX_PAYLOAD / 4)}`))
            case "change":
              return call.update({ instructions: instructions(n) }).pipe(
                Effect.match({
                  onSuccess: () => changes.push({ version: n, error: undefined }),
                  onFailure: (error) => changes.push({ version: n, error })
                })
              )
            case "interrupt":
              return call.interrupt()
            case "say":
              return call
                .say(`Said ${n}.`)
                .pipe(Effect.match({ onSuccess: () => wished.push(`Said ${n}.`), onFailure: () => undefined }))
            case "call a tool":
              return Effect.ignore(call.callTool("work", { name: `tool-d${n}-${lasts}` }, { record: true }))
            // one phrase at a time: more than 2.5 seconds of sound are not kept
            case "speak":
              return Effect.gen(function* () {
                yield* call.awaitIdle
                spoken.push(`s${n}`)
                yield* Speech.phrase(call.model.input, n, 500, lab.pause).pipe(
                  Stream.runForEach((frame) => Queue.offer(microphone, frame))
                )
                while (!understood(`s${n}`)) yield* Effect.sleep(20)
                yield* call.awaitIdle
              })
          }
        }

        const user = Effect.gen(function* () {
          const doing: Array<Fiber.Fiber<unknown>> = []
          for (const [n, action] of plan.actions.entries()) {
            yield* Effect.sleep(action.after)
            // typing waits while there is no connection; the user does not
            const fiber = yield* Effect.forkChild(act(action, n + 1), { startImmediately: true })
            if (action.does === "speak") yield* Fiber.join(fiber)
            else doing.push(fiber)
          }
          yield* Fiber.joinAll(doing)
        })

        const connections = () => recorder.events().filter(({ _tag }) => _tag === "ConnectionStart").length
        const isAway = () =>
          recorder.events().findLast(({ _tag }) => _tag === "ConnectionStart" || _tag === "ConnectionRestart")?._tag ===
          "ConnectionRestart"
        // what the user does while nobody is connected
        const meanwhile = (what: "interrupt" | "type stop") =>
          Effect.gen(function* () {
            while (!isAway()) yield* Effect.sleep(5)
            hits.push(`${what} while away`)
            if (what === "interrupt") yield* call.interrupt()
            else yield* Effect.forkIn(Effect.ignore(call.send("Stop.")), scope)
            if (isAway()) interruptedAfter.push(connections())
          })
        const trouble = yield* Effect.forkChild(harm(emulator, plan, hits, meanwhile))
        if (plan.ends === "inputs end") {
          yield* user
          hits.push("inputs end in mid-reply")
          yield* type(`m${plan.actions.length + 1}`)
          yield* Queue.end(microphone)
          const exit = yield* Effect.exit(call.await)
          yield* Fiber.interrupt(trouble)
          owes()
          history = yield* call.history
          return yield* exit
        }
        if (plan.fate === "survives") {
          yield* user
          yield* Fiber.join(trouble)
          yield* call.awaitIdle
          owes()
          store.endIsNear()
          // whoever still answers is alive, and knows everything; what is left of the faults may meet the answer
          for (let n = plan.actions.length + 1; n <= plan.actions.length + LAST_WORDS; n++) {
            yield* type(`m${n}`)
            yield* call.awaitIdle
            if (mind.answered.includes(`m${n}`)) break
          }
          history = yield* call.history
          store.end()
          yield* call.stop()
          return yield* call.await
        }
        const typing = yield* Effect.forkChild(user)
        const exit = yield* Effect.exit(call.await)
        history = yield* call.history
        // whoever waits for a phrase to be understood waits for ever; every `send` ends
        const spoke = plan.actions.some(({ does }) => does === "speak")
        yield* spoke ? Fiber.interrupt(typing) : Fiber.join(typing)
        return yield* exit
      }).pipe(
        Effect.scoped,
        Effect.provide([lab.model(emulator.url), handlers]),
        plan.store === undefined ? (same) => same : Effect.provideService(SessionStore.SessionStore, store.store),
        plan.hurries ? Effect.provideService(Clock.Clock, faster(HURRY)) : (same) => same
      )

      const whole = Effect.timeoutOption(Effect.exit(conversation), PATIENCE)
      const ended = yield* Fiber.join(yield* Effect.forkChild(count.of(whole)))
      if (Option.isNone(ended)) stuck = `the conversation did not end within ${PATIENCE}`
      // a socket that was stalled does not see its client go
      yield* emulator.control.unstall
      yield* Effect.timeoutOption(emulator.awaitSockets(0), "10 seconds")
      return {
        plan,
        exit: Option.getOrElse(ended, () => Exit.die(new Error(stuck))),
        log: yield* emulator.log,
        events: recorder.events(),
        history: history ?? Prompt.empty,
        mind,
        sent,
        refused,
        unkept,
        spoken,
        changes,
        interruptedAfter,
        owed,
        stored: (yield* store.log(SESSION)).transcript,
        ran,
        hits,
        stuck,
        heldUp: delay.max / 1e6,
        sockets: yield* emulator.sockets,
        fibers: count.alive(),
        millis: Date.now() - started
      } satisfies Outcome
    })
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"), Effect.ensuring(Effect.sync(() => delay.disable())))
})

// ---------------------------------------------------------------------------------------------------------------------
// what goes wrong
// ---------------------------------------------------------------------------------------------------------------------

type Meanwhile = (what: NonNullable<Hit["meanwhile"]>) => Effect.Effect<void>

const harm = Effect.fnUntraced(function* (
  emulator: Emulator.Emulator,
  plan: Plan,
  hits: Array<string>,
  meanwhile: Meanwhile
) {
  const { control } = emulator
  if (plan.reports !== undefined) hits.push(`reports ${plan.reports}`)
  if (plan.store !== undefined) hits.push(`${plan.store} store`)
  if (plan.clock !== undefined) hits.push(plan.clock.kind)
  for (const hit of plan.hits) {
    yield* Effect.sleep(hit.after)
    yield* strike(emulator, hit, hits, plan.clock?.faults ?? [], meanwhile)
  }
  switch (plan.fate) {
    case "unauthorised":
      yield* control.reset
      yield* control.onEveryConnection(Fault.refuse(401))
      yield* control.inject(Fault.drop())
      return
    case "gives up":
      yield* control.reset
      yield* control.onEveryConnection(Fault.refuse(503))
      yield* control.inject(Fault.drop())
      return
    case "limit":
      // one that is ending already does not expire
      while (true) {
        yield* control.inject(Fault.expire())
        yield* Effect.sleep("50 millis")
      }
  }
})

const strike = Effect.fnUntraced(function* (
  emulator: Emulator.Emulator,
  hit: Hit,
  hits: Array<string>,
  everywhere: ReadonlyArray<Fault.Fault>,
  meanwhile: Meanwhile
) {
  const { control } = emulator
  hits.push(hit.kind)
  if (hit.next.length > 0) yield* control.onNextConnection(...hit.next)
  if (hit.outage !== undefined) {
    hits.push(`refusal ${hit.outage.status}`)
    yield* control.onEveryConnection(Fault.refuse(hit.outage.status))
  }
  // what a connection is told about a handle it is told when it begins
  const [early, late] = [hit.faults.filter(isEarly), hit.faults.filter((fault) => !isEarly(fault))]
  if (early.length > 0) yield* control.onNextConnection(...early)
  // what waits for a change is not for what a connection begins with
  if (awaitsChange.has(hit.kind)) while (!isSetUp(yield* emulator.log)) yield* Effect.sleep(5)
  yield* control.inject(...late)
  if (hit.outage !== undefined) {
    // nobody is away where a fault waits for its moment, or a connection was there to take over
    if (hit.meanwhile !== undefined) yield* Effect.timeoutOption(meanwhile(hit.meanwhile), hit.outage.lasts / 2)
    yield* Effect.sleep(hit.outage.lasts)
    yield* control.reset
    yield* control.onEveryConnection(...everywhere)
  }
  if (hit.kind === "half-open") {
    const known = (yield* emulator.log).filter((entry) => entry.kind === "opened").length
    while ((yield* emulator.log).filter((entry) => entry.kind === "opened").length === known)
      yield* Effect.sleep("2 seconds")
    yield* control.unstall
  }
})

// Whether every connection that is open has its configuration, and there is one.
const isSetUp = (log: ReadonlyArray<Emulator.Entry>): boolean => {
  const all = new Set(log.flatMap(({ connection, kind }) => (kind === "opened" ? [connection] : [])))
  for (const { connection, kind } of log) if (kind === "closed") all.delete(connection)
  const isKnown = (one: number) =>
    log.some((entry) => entry.connection === one && entry.kind === "sent" && entry.type === "session.updated")
  return all.size > 0 && [...all].every(isKnown)
}

const isEarly = (fault: Fault.Fault) => fault._tag === "RejectResumption"

// a black pixel
const PIXEL = Uint8Array.from(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64"
  )
)

// A text has been sent when it is kept; a store that takes nothing any more keeps it from that until the end.
const isUnkept = ({ store }: Plan, error: BidiError.BidiError) =>
  (store === "hanging" || store === "failing") && error.reason._tag === "ConversationEnded"
