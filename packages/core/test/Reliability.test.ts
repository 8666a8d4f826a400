/**
 * What survives a connection: everything.
 *
 * A conversation is played in virtual time: the user types, speaks and interrupts, tools take their time, one output is
 * stuck and one hook stalls, while connections are dropped, refused, limited, expire, hang and are renewed as drawn at
 * random. The scripted model keeps a log of everything that reached it on any connection; the laws are read from it.
 *
 * 1. What was typed reaches the model once: every connection knows it at most once, as history or as a message, in the
 *    order in which it was sent; the last connection knows all of it; and in the end all of it was answered.
 *    What the model does not take is not told again.
 * 2. A tool runs once, and its result is known to every later connection exactly once. The model is not made to speak of
 *    it while the user speaks.
 * 3. Speech that was answered, or whose words are known, is never sent again. Speech that was not is sent again in
 *    order, the last 2.5 seconds of it.
 * 4. Nothing of one connection reaches another: an interruption and the output of a tool go to the connection that they
 *    are about, or are told as words.
 * 5. What was used adds up to what the model counted, whatever happened to its connections.
 * 6. However slow an output or a hook is, all of this holds. Nobody is told that anything is at rest while the model owes
 *    something, in outages longer than any patience either; and what was cut off while there was no connection is not gone
 *    on with.
 * 7. The end leaves nothing: no connection, no fiber. It comes when the inputs have ended and all of it was answered.
 * 8. Model and conversation agree on who the model is, whatever becomes of a change: it is confirmed at once or late,
 *    refused, never confirmed, or given up. Every change ends, and nobody connects with one that does not hold.
 * 9. Renewals keep their pace, whatever the clock of the provider says; and they do not wait where nothing goes on.
 * 10. What is too large for the provider ends two connections at the most, and takes nothing else with it.
 *
 * `LAWS` sets how many conversations are played; a failure prints a token, with which `LAWS` replays it.
 */
import { BidiAgent, BidiError, type BidiEvent, BidiInput, type BidiModel, BidiOutput } from "@effect-bidi/core"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { countFibers } from "./support/fibers.ts"
import { cases } from "../../../scripts/cases.ts"
import { Steps } from "./support/steps.ts"

// ---------------------------------------------------------------------------------------------------------------------
// scenarios
// ---------------------------------------------------------------------------------------------------------------------

const Tenths = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Fault = Schema.Struct({
  after: Tenths(0, 150), // since the connection was accepted
  kind: Schema.Literals(["lost", "fault", "limited", "expired", "idle", "warned"]),
  // how many connections after it are not let in; two a second are tried, so that many are longer than any patience
  refused: Schema.Union([Tenths(0, 2), Tenths(0, 2), Tenths(60, 90)]),
  hangs: Schema.Boolean // whether one more never answers
})

const Action = Schema.Struct({
  after: Schema.Union([Schema.Literal(0), Tenths(0, 40), Tenths(0, 40), Tenths(0, 40)]), // since the action before
  does: Schema.Literals([
    "type",
    "type",
    "ask for a tool",
    "ask for tools",
    "speak",
    "speak",
    "interrupt",
    "show",
    "hand over",
    "hand over and give up",
    "send too much"
  ]),
  lasts: Tenths(1, 50),
  /** What becomes of a handover. */
  fate: Schema.Literals(["sure", "slow", "refused", "unconfirmed"])
})

const Scenario = Schema.Struct({
  faults: Schema.Array(Fault).check(Schema.isBetweenLength(1, 5)),
  actions: Schema.Array(Action).check(Schema.isBetweenLength(2, 12)),
  /** How long a reply takes to generate, and how much longer to play. */
  replies: Schema.Struct({ over: Tenths(0, 60), audio: Tenths(1, 80) }),
  /** Whether there is a speaker, or only captions. */
  audible: Schema.Boolean,
  /** How replies end: one in so many says nothing, and as many fail; 0 is none. */
  poor: Tenths(0, 4),
  transcribes: Schema.Literals(["at once", "word by word", "in vain", "never"]),
  /** The inputs end after all that, and the conversation with them. */
  ends: Schema.Boolean,
  overlap: Schema.Boolean,
  /** The life of a connection in seconds; 0 is for ever. */
  lifetime: Tenths(0, 40),
  /** What the provider tells of that: the truth, an end that is past, or to go at once. */
  clock: Schema.Literals(["right", "right", "slow", "hasty"]),
  midSessionUpdate: Schema.Boolean
})
type Scenario = typeof Scenario.Type

const tenths = (n: number) => Duration.millis(n * 100)

const reasons: Record<(typeof Fault.Type)["kind"], BidiError.Reason> = {
  lost: new BidiError.ConnectionLost({ message: "gone" }),
  warned: new BidiError.SessionExpired({ message: "it was said before" }),
  fault: new BidiError.ServerFault({ message: "down" }),
  limited: new BidiError.RateLimited({ message: "slower", retryAfter: Duration.seconds(2) }),
  expired: new BidiError.SessionExpired({ message: "an hour" }),
  idle: new BidiError.IdleTimeout({ message: "nobody there" })
}

// ---------------------------------------------------------------------------------------------------------------------
// the model: answers messages and turns of speech, calls tools when asked to
// ---------------------------------------------------------------------------------------------------------------------

/** A frame of 20 ms says which utterance it is of, which frame of it, and whether it is the last. */
const frameOf = (utterance: number, index: number, last: boolean): BidiEvent.AudioInput => {
  const audio = new Uint8Array(960)
  audio.set([utterance, index & 255, index >> 8, last ? 1 : 0])
  return { _tag: "AudioInput", audio, encoding: "pcm", sampleRate: 24_000, channels: 1 }
}

interface Counted {
  used: number
  replies: number
  /** Utterances whose words are known or that were answered, and the connection of that. */
  readonly understood: Map<number, number>
  /** What a reply was begun to. */
  readonly answered: Set<string>
  /** What a reply was finished to, and on which connection. */
  readonly settled: Map<string, number>
  /** What the model was asked for on connections that live, and has not finished. */
  readonly owed: Map<number, number>
  /** The reply of each connection is one that was interrupted, though the model may not have been told yet. */
  readonly hush: Array<() => void>
  /** Something like that was cut off by the end of its connection, and was not asked for again. */
  cut: boolean
  /** How often it was asked for something. */
  asks: number
  /** When it last took what it heard for a turn; it has only said so. */
  heardAt: number
  /** How much is left of a reply that its connection did not live to finish, in milliseconds. */
  left: number | undefined
  /** Who the conversation says that the model is. */
  who: () => string
  /** Made the model speak while the user did. */
  readonly rude: Array<string>
  /** What it did not take, and on which connection it said so. */
  readonly unwanted: Map<string, number>
  /** Was asked of a model that is somebody else. */
  readonly mistaken: Array<string>
  /** Who the model is, by connection, and who it has been. */
  readonly systems: Map<number, string>
  readonly confirmed: Set<string>
  tooLarge: number
}

const tooLong = new BidiError.BidiError({ reason: new BidiError.InvalidRequest({ message: "too long" }) })
const tooLarge = new BidiError.BidiError({ reason: new BidiError.ConnectionLost({ message: "closed", code: "1009" }) })

const modelOf = (scenario: Scenario, counted: Counted): BidiTest.Script => {
  const faults = [...scenario.faults]
  let refusals = 0
  let hangs = false
  return Effect.fnUntraced(function* (line) {
    if (refusals > 0) {
      refusals--
      return yield* line.refuse(new BidiError.BidiError({ reason: reasons.lost }))
    }
    if (hangs) {
      hangs = false
      return yield* Effect.never
    }
    const g = line.generation
    const system = line.setup.instructions!
    const becomes = (system: string) =>
      Effect.sync(() => {
        counted.systems.set(g, system)
        counted.confirmed.add(system)
      })
    if (!counted.confirmed.has(system)) {
      assert.isFalse(scenario.midSessionUpdate, `connection ${g} was opened with what does not hold: ${system}`)
      if (system.startsWith("refused")) return yield* line.refuse(tooLong)
      if (system.startsWith("unconfirmed")) return yield* Effect.never
      if (system.startsWith("slow")) yield* line.wait("2 seconds")
    }
    counted.systems.set(g, system)
    yield* line.accept
    yield* line.holdUpdates
    if (scenario.clock === "hasty") yield* line.emit({ _tag: "Expiring", timeLeft: Duration.zero })
    // A reply is to everything that was asked for before it began.
    const asked: Array<string> = []
    const wanted = yield* Latch.make()
    let answering = 0
    let gone = false
    let hearing: number | undefined
    let hearingSince = 0
    const tally = () => void (gone ? counted.owed.delete(g) : counted.owed.set(g, asked.length + answering))
    counted.hush.push(() => {
      answering = 0
      tally()
    })
    const hangUp = (error: BidiError.BidiError) =>
      Effect.suspend(() => {
        if ((counted.owed.get(g) ?? 0) > 0) counted.cut = true
        gone = true
        tally()
        return line.drop(error)
      })
    const ask = (text: string) =>
      Effect.sync(() => {
        asked.push(text)
        counted.asks++
        wanted.openUnsafe()
        counted.cut = false
        tally()
      })
    // Both or neither: what is said on a line that is gone, nobody hears.
    const telling = (note: () => void, ...events: ReadonlyArray<BidiModel.ModelEvent>) =>
      Effect.suspend(() => {
        if (gone) return Effect.never
        note()
        return line.emit(...events)
      }).pipe(Effect.provideService(References.PreventSchedulerYield, true))
    const poorly = (stopReason: "complete" | "error") => {
      const responseId = `${g}/r${++counted.replies}`
      return line.emit({ _tag: "ResponseStarted", responseId }, { _tag: "ResponseDone", responseId, stopReason })
    }
    const speaking = Effect.fnUntraced(function* (text: string) {
      const n = ++counted.replies
      const responseId = `${g}/r${n}`
      const audio = tenths(scenario.replies.audio)
      // goes on where it was, so that it is finished some time, however short the lives of connections are
      const over = counted.left ?? 100 * scenario.replies.over
      const since = yield* Clock.currentTimeMillis
      yield* line
        .reply({ text, audio, over, responseId, itemId: `${g}/i${n}` })
        .pipe(
          Effect.onInterrupt(() =>
            Effect.map(Clock.currentTimeMillis, (now) => void (counted.left = Math.max(0, over - (now - since))))
          )
        )
      counted.left = undefined
      yield* telling(() => counted.used++, {
        _tag: "Usage",
        inputTokens: 1,
        outputTokens: 0,
        totalTokens: 1,
        byModality: []
      })
    })
    const calling = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
      const responseId = `${g}/r${++counted.replies}`
      yield* line.emit(
        { _tag: "ResponseStarted", responseId },
        {
          _tag: "ToolCalls",
          responseId,
          calls: names.map((name) => ({ id: `${g}/${name}`, name: "work", arguments: JSON.stringify({ name }) }))
        },
        { _tag: "ResponseDone", responseId, stopReason: "tool_use" }
      )
    })
    const mouth = Effect.gen(function* () {
      while (true) {
        yield* wanted.await
        yield* line.wait("10 millis") // thinks, and hears what comes meanwhile
        if (gone) return yield* Effect.never
        wanted.closeUnsafe()
        const texts = asked.splice(0)
        answering = texts.length
        for (const text of texts) {
          counted.answered.add(text)
          const [, utterance] = /^speech (\d+)$/.exec(text) ?? []
          if (utterance !== undefined) counted.understood.set(Number(utterance), g)
        }
        const tools = texts.flatMap((text) => text.match(/tool-\S+/g) ?? [])
        const { poor } = scenario
        if (tools.length > 0) yield* calling(tools)
        else if (texts.length > 0 && poor > 0 && counted.replies % (2 * poor) === 0) yield* poorly("complete")
        else if (texts.length > 0 && poor > 0 && counted.replies % (2 * poor) === poor) yield* poorly("error")
        else if (texts.length > 0) yield* speaking(`re ${texts}`)
        for (const text of texts) counted.settled.set(text, g)
        answering = 0
        tally()
      }
    })
    const commands = Effect.gen(function* () {
      while (true) {
        const command = yield* line.next
        // nobody wants the rest of it any more
        if (command._tag === "Interrupt") answering = 0
        tally()
        if (command._tag !== "Update" && counted.systems.get(g) !== counted.who())
          counted.mistaken.push(`${counted.systems.get(g)}, not ${counted.who()}: ${JSON.stringify(command)}`)
        if (command._tag === "Update") {
          const system = command.instructions!
          const confirm = Effect.andThen(becomes(system), line.confirmUpdate)
          if (system.startsWith("refused")) yield* line.refuseUpdate(tooLong)
          else if (system.startsWith("slow")) yield* Effect.forkChild(Effect.andThen(line.wait("2 seconds"), confirm))
          else if (!system.startsWith("unconfirmed")) yield* confirm
        }
        if (isLarge(command)) {
          counted.tooLarge++
          return yield* hangUp(tooLarge)
        }
        if (command._tag === "UserMessage") {
          const text = command.parts.filter((part) => typeof part === "string").join(" ")
          const error = new BidiError.BidiError({ reason: new BidiError.InvalidRequest({ message: "unwanted" }) })
          if (text.startsWith("unwanted-"))
            yield* telling(() => void counted.unwanted.set(text, Math.min(g, counted.unwanted.get(text) ?? g)), {
              _tag: "Refused",
              id: command.id,
              error
            })
          yield* ask(text)
        }
        if (command._tag === "ToolOutputs") {
          if (hearing !== undefined && hearingSince < (yield* Clock.currentTimeMillis))
            counted.rude.push(`results while the user says ${hearing}`)
          yield* ask("the tools")
        }
        if (command._tag === "Respond" || (command._tag === "Note" && command.respond)) yield* ask("the rest")
      }
    })
    const ears = Effect.gen(function* () {
      while (true) {
        const [utterance = 0, , , last] = yield* line.nextAudio
        if (utterance === 0) continue // silence, when the inputs have ended
        if (hearing === undefined) hearingSince = yield* Clock.currentTimeMillis
        if (hearing !== utterance) yield* line.emit({ _tag: "SpeechStarted" })
        hearing = utterance
        if (last !== 1) continue
        hearing = undefined
        const itemId = `${g}/u${utterance}`
        yield* line.emit({ _tag: "SpeechStopped" }, { _tag: "UserTurn", itemId, respond: true })
        counted.heardAt = yield* Clock.currentTimeMillis
        yield* ask(`speech ${utterance}`)
        const words = { role: "user", itemId } as const
        // the words of some turns never come, though those of others do
        const { fate } = scenario.actions[utterance - 1]!
        const transcribes = fate === "unconfirmed" ? "never" : scenario.transcribes
        if (transcribes === "in vain") {
          const error = new BidiError.BidiError({ reason: reasons.fault })
          yield* line.emit({ _tag: "TranscriptFailed", itemId, error })
        } else if (transcribes !== "never") {
          if (transcribes === "word by word") {
            yield* line.emit({ _tag: "TranscriptDelta", ...words, delta: `half-${utterance}` })
            yield* line.wait("300 millis")
          }
          const text = `half-${utterance}, and the rest`
          const understand = () => {
            if (!counted.understood.has(utterance)) counted.understood.set(utterance, g)
          }
          yield* telling(understand, { _tag: "TranscriptDone", ...words, text })
        }
      }
    })
    const past = Effect.gen(function* () {
      yield* line.wait("1 millis")
      if (!isLarge(line.history())) return yield* Effect.never
      counted.tooLarge++
      yield* hangUp(tooLarge)
    })
    const fate = Effect.gen(function* () {
      const fault = faults.shift()
      if (fault === undefined) return yield* Effect.never
      yield* line.wait(tenths(fault.after))
      refusals = fault.refused
      hangs = fault.hangs
      if (fault.kind === "warned") {
        yield* line.emit({ _tag: "Expiring", timeLeft: Duration.seconds(10) })
        yield* line.wait("10 seconds")
      }
      yield* hangUp(new BidiError.BidiError({ reason: reasons[fault.kind] }))
    })
    yield* Effect.all([commands, ears, mouth, past, fate], { concurrency: "unbounded" }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          gone = true
          tally()
        })
      )
    )
  })
}

const isLarge = (told: unknown) => JSON.stringify(told).includes("large-")

// ---------------------------------------------------------------------------------------------------------------------
// playing one
// ---------------------------------------------------------------------------------------------------------------------

const play = (scenario: Scenario) =>
  Effect.gen(function* () {
    const recorder = BidiTest.recorder()
    const counted: Counted = {
      used: 0,
      replies: 0,
      understood: new Map(),
      answered: new Set(),
      settled: new Map(),
      owed: new Map(),
      hush: [],
      cut: false,
      asks: 0,
      heardAt: -1,
      left: undefined,
      who: () => recorder.events().findLast((event) => event._tag === "Handoff")?.to ?? "sure",
      rude: [],
      unwanted: new Map(),
      mistaken: [],
      systems: new Map(),
      confirmed: new Set(["sure"]),
      tooLarge: 0
    }
    const lies: Array<string> = []
    const silenced: Array<number> = [] // connections before which the user interrupted while there was none
    let handovers = 0
    const ran: Array<string> = []
    const toolkit = Toolkit.make(
      Tool.make("work", { parameters: Schema.Struct({ name: Schema.String }), success: Schema.String })
    )
    const handlers = toolkit.toLayer({
      work: ({ name }) =>
        Effect.suspend(() => {
          ran.push(name)
          return Effect.as(Effect.sleep(tenths(Number(name.split("-")[2]))), `result of ${name}`)
        })
    })
    const model = yield* BidiTest.model(modelOf(scenario, counted), {
      capabilities: { overlap: scenario.overlap, midSessionUpdate: scenario.midSessionUpdate },
      ...(scenario.clock === "slow"
        ? { lifetime: Duration.seconds(-scenario.lifetime) }
        : scenario.clock === "right" && scenario.lifetime > 5
          ? { lifetime: Duration.seconds(scenario.lifetime) }
          : {})
    })
    const speaker = yield* BidiTest.speaker()
    const agent = yield* BidiAgent.make({ name: "sure", instructions: "sure", toolkit }).pipe(
      Effect.provide([model.layer, handlers])
    )
    const microphone = yield* Queue.unbounded<BidiEvent.Input, Cause.Done>()
    const sent: Array<string> = []

    const act = (call: BidiAgent.Call<unknown>, { does, fate, lasts }: typeof Action.Type, n: number) => {
      const name = `${fate}-${n}`
      const handOver = Effect.ensuring(
        Effect.ignore(call.handoff({ ...agent, name, instructions: name })),
        Effect.sync(() => void handovers--)
      )
      const type = (text: string) => Effect.tap(call.send(text), () => Effect.sync(() => sent.push(text)))
      switch (does) {
        case "type":
          return isUnwanted({ does, fate }) ? Effect.ignore(call.send(`unwanted-${n}`)) : type(`text-${n}`)
        case "show":
          return Effect.tap(
            call.send([`text-${n}`, { _tag: "ImageInput", image: new Uint8Array([n]), mimeType: "image/png" }]),
            () => Effect.sync(() => sent.push(`text-${n}`))
          )
        case "ask for a tool":
          return type(`text-${n} tool-${n}-${lasts}`)
        case "ask for tools":
          return type(`text-${n} tool-${n}a-${lasts} tool-${n}b-0`)
        case "interrupt":
          return Effect.suspend(() => {
            const last = recorder
              .events()
              .findLast(({ _tag }) => _tag === "ConnectionStart" || _tag === "ConnectionRestart")
            if (last?._tag !== "ConnectionRestart") return call.interrupt()
            const before = recorder.events().filter(({ _tag }) => _tag === "ConnectionStart").length
            counted.cut = false
            silenced.push(before)
            return call.interrupt()
          })
        case "hand over":
          handovers++
          return handOver
        case "hand over and give up":
          handovers++
          return Effect.timeoutOption(handOver, tenths(lasts))
        case "send too much":
          return Effect.ignore(call.send(`large-${n} ${"x".repeat(500 + n)}`))
        case "speak":
          return Effect.gen(function* () {
            const frames = lasts * 5
            for (let i = 0; i < frames; i++) {
              yield* Effect.sleep("20 millis")
              yield* Queue.offer(microphone, frameOf(n + 1, i, i === frames - 1))
            }
          })
      }
    }

    // Whoever is told that nothing goes on looks whether the model knows better: now, and a moment later, if nothing came.
    const listenForLies = (call: BidiAgent.Call<unknown>) =>
      Effect.gen(function* () {
        const owed = () => counted.cut || [...counted.owed.values()].some((n) => n > 0)
        while (true) {
          yield* call.awaitIdle
          // what it says that it has heard is on its way; what it was asked for in another way is known
          const before = owed() && counted.heardAt < (yield* Clock.currentTimeMillis)
          const seen = model.log().length
          const { asks } = counted
          yield* Effect.sleep("1 millis")
          // and what is owed now was owed then
          const same = counted.asks === asks && model.log().length === seen
          if (before && owed() && same) lies.push(`idle, after ${seen} things reached the model`)
          // seldom, where nothing happens any more
          const quiet = (yield* Clock.currentTimeMillis) - (model.log().at(-1)?.at ?? 0) > 20_000
          yield* Effect.sleep(quiet ? "3 seconds" : "200 millis")
        }
      })

    const [reason, alive] = yield* countFibers(
      Effect.gen(function* () {
        // nobody waits for one that does not end
        const fiber = yield* Effect.forkDetach(
          Effect.scoped(
            Effect.gen(function* () {
              const call = yield* agent.start({
                inputs: [BidiInput.make("microphone", Stream.fromQueue(microphone))],
                outputs: [
                  recorder.output,
                  ...(scenario.audible ? [speaker.output] : []),
                  BidiOutput.make("stuck", {
                    mailbox: { capacity: 3, strategy: "sliding" },
                    handle: () => Effect.never
                  })
                ],
                hooks: [
                  BidiAgent.on("TranscriptStream", () => Effect.never),
                  // nobody wants the rest of it any more
                  BidiAgent.on("Interruption", () =>
                    Effect.sync(() => {
                      counted.cut = false
                      for (const hush of counted.hush) hush()
                    })
                  )
                ],
                connection: { retry: Schedule.spaced("500 millis"), timeout: "3 seconds" }
              })
              yield* Effect.forkScoped(listenForLies(call))
              for (const [n, action] of scenario.actions.entries()) {
                yield* Effect.sleep(tenths(action.after))
                // typing waits while there is no connection; the user does not
                const acting = yield* Effect.forkChild(act(call, action, n))
                if (scenario.ends && action.does === "speak") yield* Fiber.join(acting)
              }
              if (scenario.ends) {
                yield* Effect.sleep("10 millis")
                yield* Queue.end(microphone)
                return yield* call.await
              }
              yield* Effect.sleep("10 minutes")
              yield* call.stop()
              return yield* call.await
            })
          ),
          { startImmediately: true }
        )
        yield* BidiTest.advance("15 minutes")
        assert.isDefined(fiber.pollUnsafe(), "the conversation does not end")
        return yield* Fiber.join(fiber)
      })
    )
    return { model, events: recorder.events(), sent, ran, counted, alive, handovers, reason, lies, silenced }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))

// ---------------------------------------------------------------------------------------------------------------------
// laws
// ---------------------------------------------------------------------------------------------------------------------

/** What one connection was told, in order: by history, then by commands. */
const knowledge = (log: ReadonlyArray<BidiTest.Logged>, generation: number) => {
  const users: Array<string> = []
  const results: Array<string> = []
  const resultsIn = (text: string) => results.push(...(text.match(/result of tool-\w+-\d+/g) ?? []))
  const parts = (parts: ReadonlyArray<BidiModel.UserPart>) => parts.filter((part) => typeof part === "string")
  for (const entry of log) {
    if (entry.generation !== generation) continue
    if (entry._tag === "Seeded") {
      for (const told of entry.history) {
        if (told._tag === "User") users.push(...parts(told.parts))
        if (told._tag === "ToolCall") resultsIn(JSON.stringify(told.output))
      }
    }
    if (entry._tag === "Command") {
      if (entry.command._tag === "UserMessage") users.push(...parts(entry.command.parts))
      if (entry.command._tag === "ToolOutputs" || entry.command._tag === "Note")
        resultsIn(JSON.stringify(entry.command))
    }
  }
  return { texts: users.filter((text) => text.startsWith("text-")), results }
}

const asks = (entry: BidiTest.Logged, text: string) =>
  entry._tag === "Command" && entry.command._tag === "UserMessage" && entry.command.parts[0] === text

/** A text that the model does not take, which a connection may not live to say. */
const isUnwanted = ({ does, fate }: Pick<typeof Action.Type, "does" | "fate">) => does === "type" && fate === "refused"

const types: ReadonlySet<string> = new Set(["type", "show", "ask for a tool", "ask for tools"])

const unique = (list: ReadonlyArray<string>) => new Set(list).size === list.length

describe("a conversation", () => {
  it.effect.prop(
    "loses nothing, whatever happens to its connections",
    { scenario: Scenario, steps: Steps },
    ({ scenario, steps }) =>
      Effect.gen(function* () {
        const { alive, counted, events, handovers, lies, model, ran, reason, sent, silenced } = yield* play(
          scenario
        ).pipe(Effect.provideService(References.MaxOpsBeforeYield, steps))
        const log = model.log()
        const generations = log.flatMap((entry) => (entry._tag === "Seeded" ? [entry.generation] : []))
        const last = generations.at(-1)!
        const inOrder = sent.toSorted((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))

        // 1. what was typed
        for (const generation of generations) {
          const { texts } = knowledge(log, generation)
          assert.isTrue(unique(texts), `connection ${generation} was told twice: ${texts}`)
          assert.deepStrictEqual(
            texts,
            inOrder.filter((text) => texts.includes(text)),
            "in another order"
          )
        }
        assert.deepStrictEqual(knowledge(log, last).texts, inOrder)
        const typed = scenario.actions.filter((action) => types.has(action.does) && !isUnwanted(action)).length
        assert.lengthOf(sent, typed)
        assert.includeMembers([...counted.answered], sent)

        for (const entry of log) {
          if (entry._tag !== "Command" || entry.command._tag !== "UserMessage") continue
          const text = entry.command.parts.filter((part) => typeof part === "string").join(" ")
          assert.isAtMost(
            entry.generation,
            counted.settled.get(text) ?? Infinity,
            `${text} was answered, and asked again`
          )
        }
        for (const [text, generation] of counted.unwanted) {
          const again = log.find(
            (entry) => entry.generation > generation && JSON.stringify(entry).includes(`"${text}"`)
          )
          assert.isUndefined(again, `${text} was not taken by connection ${generation}, and told again`)
        }
        // 2. tools
        assert.isTrue(unique(ran), `a tool ran twice: ${ran}`)
        const asked = inOrder.flatMap((text) => text.match(/tool-\S+/g) ?? [])
        assert.sameMembers(ran, asked)
        for (const generation of generations) {
          const { results } = knowledge(log, generation)
          assert.isTrue(unique(results), `connection ${generation} was told a result twice: ${results}`)
        }
        assert.sameMembers(
          knowledge(log, last).results,
          ran.map((name) => `result of ${name}`)
        )

        // what was ready to be sent before the user spoke may be held up by a change
        const changes = scenario.actions.filter(({ does }) => does.startsWith("hand over")).length
        if (changes === 0) assert.deepStrictEqual(counted.rude, [])

        // 3. speech
        const heardOn = new Map<number, Array<number>>() // by generation: utterance * 10000 + frame
        for (const entry of log) {
          if (entry._tag !== "Audio") continue
          const [utterance = 0, low = 0, high = 0] = entry.audio
          if (utterance === 0) continue
          const frames = heardOn.get(entry.generation) ?? []
          frames.push(utterance * 10_000 + high * 256 + low)
          heardOn.set(entry.generation, frames)
        }
        const spoken = scenario.actions.flatMap(({ does, lasts }, n) =>
          does === "speak" ? [{ utterance: n + 1, frames: lasts * 5 }] : []
        )
        for (const [generation, frames] of heardOn) {
          assert.strictEqual(new Set(frames).size, frames.length, `connection ${generation} heard a frame twice`)
          for (const { utterance } of spoken) {
            const own = frames.filter((frame) => Math.floor(frame / 10_000) === utterance)
            assert.deepStrictEqual(
              own,
              own.toSorted((a, b) => a - b),
              "speech in another order"
            )
            const understood = counted.understood.get(utterance) ?? Infinity
            assert.isTrue(own.length === 0 || generation <= understood, `speech ${utterance} was sent again`)
            // half of the words are better than nothing where the sound is gone, and only there
            const half = log.find((entry) => asks(entry, `half-${utterance}`))?.generation ?? Infinity
            assert.isTrue(
              own.length === 0 || generation < half,
              `speech ${utterance} was asked in words, and sent again`
            )
          }
        }
        if (spoken.length === 1) {
          const [{ frames, utterance }] = spoken as [(typeof spoken)[0]]
          const complete = [...heardOn.values()].find((heard) => heard.includes(utterance * 10_000 + frames - 1)) ?? []
          assert.isAtLeast(complete.length, Math.min(frames, 125), "speech was lost")
          assert.strictEqual(complete.at(-1)! - complete[0]!, complete.length - 1, "speech has a hole")
          assert.isTrue(counted.understood.has(utterance), "speech was not answered")
        }

        // 4. fences
        for (const entry of log) {
          if (entry._tag !== "Command") continue
          const { command, generation } = entry
          const ids =
            command._tag === "Interrupt"
              ? [command.responseId]
              : command._tag === "ToolOutputs"
                ? command.outputs.map(({ id }) => id)
                : []
          for (const id of ids) assert.strictEqual(id.split("/")[0], String(generation), `${command._tag} ${id}`)
        }

        // 5. what was used
        const used = events.reduce((sum, event) => sum + (event._tag === "Usage" ? event.totalTokens : 0), 0)
        assert.strictEqual(used, counted.used)

        // 6. rest, and interruptions
        assert.deepStrictEqual(lies, [])
        for (const before of silenced) {
          const goesOn = log.some(
            ({ generation, ...entry }) =>
              generation === generations[before] &&
              entry._tag === "Command" &&
              entry.command._tag === "Respond" &&
              entry.command.instructions?.startsWith("The connection was renewed") === true
          )
          assert.isFalse(goesOn, `connection ${generations[before]} goes on with what was cut off`)
        }

        // 8. who the model is
        assert.deepStrictEqual(counted.mistaken, [])
        // a connection that takes over in the moment of the end is not told any more
        const taken = log.find((entry) => entry._tag === "Seeded" && entry.generation === last)!.at
        if (!scenario.ends || log.at(-1)!.at > taken)
          assert.strictEqual(counted.systems.get(last), counted.who(), "they do not agree on who the model is")
        assert.strictEqual(handovers, 0, "a change did not end")

        // 9. the pace: after 1, 2, 4 … seconds, then once a minute; from the beginning again after a warning that is true
        if (scenario.clock !== "right") {
          const renewals = events.filter((event) => event._tag === "ConnectionRestart" && event.reason === "scheduled")
          const warnings = scenario.faults.filter(({ kind }) => kind === "warned").length
          const minutes = log.at(-1)!.at / 60_000
          assert.isAtMost(renewals.length, 7 * (1 + warnings) + minutes + changes)
        }

        // and words that do not come hold nobody up for longer than they may be late
        if (!scenario.audible && changes === 0) {
          let warned: number | undefined
          let quiet = 0
          const commands = log.filter(({ _tag }) => _tag === "Command" || _tag === "Audio").map(({ at }) => at)
          for (const event of events) {
            if (event._tag === "ConnectionWarning") warned = event.message === undefined ? event.at : undefined
            if (event._tag === "ConnectionRestart" && event.reason === "scheduled" && warned !== undefined) {
              const since = Math.max(warned, quiet, commands.findLast((at) => at < event.at) ?? 0)
              assert.isAtMost(event.at - since, 6000, "a renewal waited for nothing")
            }
            if (event._tag === "ConnectionRestart") warned = undefined
            if (event._tag !== "ConnectionWarning") quiet = event.at
          }
        }

        // 10. what is too large
        const large = scenario.actions.filter(({ does }) => does === "send too much").length
        assert.isAtMost(counted.tooLarge, 2 * large)

        // 7. the end
        assert.strictEqual(reason, scenario.ends ? "complete" : "client_disconnect")
        assert.strictEqual(events.at(-1)?._tag, "ConnectionClose")
        assert.strictEqual(model.open(), 0)
        assert.strictEqual(alive, 0)
      }),
    cases(80)
  )
})
