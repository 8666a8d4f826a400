/**
 * What happens in one conversation, drawn from its seed: a function from values to values.
 */
import { Fault } from "@effect-bidi/emulator"
import { Dice } from "./dice.ts"

export const providers = ["openai", "google", "bedrock"] as const
export type Provider = (typeof providers)[number]

/** What the user does. `lasts` is what a tool takes, in milliseconds. */
export interface Action {
  readonly after: number
  readonly does:
    | "type"
    | "type too much"
    | "show"
    | "ask for a tool"
    | "ask for tools"
    | "speak"
    | "interrupt"
    | "say"
    | "call a tool"
    | "change"
  readonly lasts: number
}

/** What goes wrong, and for how long (in milliseconds) nobody is let in after it. */
export interface Hit {
  readonly after: number
  readonly kind: string
  readonly faults: ReadonlyArray<Fault.Fault>
  /** Faults of the connection that follows. */
  readonly next: ReadonlyArray<Fault.Fault>
  readonly outage: { readonly status: 429 | 503; readonly lasts: number } | undefined
  /** What the user does while nobody is let in. */
  readonly meanwhile: "interrupt" | "type stop" | undefined
}

/**
 * How it has to end. `survives`: only when the user has finished. `unauthorised`: the key is refused when it reconnects.
 * `gives up`: nobody is let in any more, and the schedule of retries ends. `limit`: it may not renew its connections.
 */
export type Fate = "survives" | "unauthorised" | "gives up" | "limit"

/**
 * A speaker that is not here, and what it says of where it is: it falls silent after its first words, is always a bit
 * short of the truth, or makes it up.
 */
export type Reports = "stop" | "fall short" | "lie"

/** A store that takes its time, or does not take what it is given last. */
export type Store = "slow" | "failing" | "hanging"

export interface Plan {
  readonly provider: Provider
  readonly seed: number
  readonly fate: Fate
  readonly actions: ReadonlyArray<Action>
  readonly hits: ReadonlyArray<Hit>
  /** Sound is played in real time, here or elsewhere; without a speaker, words are read as they come. */
  readonly speaker: "none" | "device" | "remote"
  readonly reports: Reports | undefined
  /** Connections are replaced at this age, in milliseconds. */
  readonly renewAfter: number | undefined
  /** The conversation's clock is faster, so that what takes a minute is over within seconds. */
  readonly hurries: boolean
  readonly store: Store | undefined
  /** It is stopped when all is done, or its inputs end in the middle of the last reply. */
  readonly ends: "stopped" | "inputs end"
  /** Larger messages than this many bytes close the connection. */
  readonly maxPayload: number | undefined
  /** What every connection says of its end though it is not true, by the name it has in the table. */
  readonly clock: { readonly kind: string; readonly faults: ReadonlyArray<Fault.Fault> } | undefined
}

const numberOf = (provider: Provider) => providers.indexOf(provider) + 1

export const draw = (provider: Provider, seed: number): Plan => {
  const dice = new Dice(Math.imul(seed, 4) + numberOf(provider))
  dice.next()
  const fate: Fate = dice.happens(6)
    ? "unauthorised"
    : dice.happens(6)
      ? "gives up"
      : dice.happens(4)
        ? "limit"
        : "survives"
  const survives = fate === "survives"
  const dead = survives ? dice.one(DEAD) : undefined
  const remote = survives && dead === undefined && dice.happens(20)
  const hurries = dead !== undefined || remote
  const speaker = remote ? "remote" : !hurries && dice.happens(40) ? "device" : "none"
  const reports = remote ? dice.one(["stop", "fall short", "lie"] as const) : undefined
  const renewAfter = survives && !hurries && dice.happens(30) ? dice.between(1000, 1500) : undefined
  const clock =
    survives && !hurries && renewAfter === undefined && dice.happens(25) ? clockOf(provider, dice) : undefined
  const store = survives && dice.happens(20) ? dice.one(["slow", "failing", "hanging"] as const) : undefined
  const inputsEnd = survives && dead === undefined && store === undefined && dice.happens(20)
  const tooMuch = survives && !hurries && provider !== "bedrock" && dice.happens(15)
  const does = [...doings[provider], ...(tooMuch ? (["type too much", "type too much"] as const) : [])]
  return {
    provider,
    seed,
    fate,
    speaker,
    reports,
    renewAfter,
    hurries,
    store,
    ends: inputsEnd ? "inputs end" : "stopped",
    maxPayload: tooMuch ? MAX_PAYLOAD : undefined,
    clock,
    actions: dice.some(3, 9, () => ({
      after: dice.between(0, 250),
      does: dice.one(does),
      lasts: dice.happens(50) ? dice.between(0, 30) : dice.between(50, 600)
    })),
    hits:
      dead === undefined
        ? // retries that were used up before would be another end
          apart(dice.some(survives ? 1 : 0, fate === "gives up" ? 1 : 4, () => hit(dice, provider)))
        : [deadly[dead](dice)]
  }
}

// Where all events have one id nobody can tell what is repeated from what is said twice.
const apart = (hits: ReadonlyArray<Hit>): ReadonlyArray<Hit> => {
  const all = hits.flatMap(({ faults, next }) => [...faults, ...next])
  if (!all.some(({ _tag }) => _tag === "SameEventId")) return hits
  const tellable = (faults: ReadonlyArray<Fault.Fault>) => faults.filter(({ _tag }) => _tag !== "Duplicate")
  return hits.map((hit) => ({ ...hit, faults: tellable(hit.faults), next: tellable(hit.next) }))
}

// one conversation in eight
const DEAD = [...Array.from({ length: 21 }, () => undefined), "half-open", "long outage", "long outage"] as const

/** Of a conversation whose clock hurries; an outage that is longer than anybody has patience. */
const deadly: Record<"half-open" | "long outage", (dice: Dice) => Hit> = {
  "half-open": (dice) => ({
    after: dice.between(50, 800),
    kind: "half-open",
    faults: [Fault.stall()],
    next: [],
    outage: undefined,
    meanwhile: undefined
  }),
  "long outage": (dice) => ({
    after: dice.between(50, 1500),
    kind: "long outage",
    faults: [Fault.drop()],
    next: [],
    outage: { status: 503, lasts: dice.between(31_000, 50_000) },
    meanwhile: dice.happens(30) ? dice.one(["interrupt", "type stop"] as const) : undefined
  })
}

/** In bytes; all that is not too much is smaller. */
export const MAX_PAYLOAD = 65_536

const common = [
  "type",
  "type",
  "type",
  "ask for a tool",
  "ask for tools",
  "interrupt",
  "say",
  "call a tool",
  "change"
] as const

const doings: Record<Provider, ReadonlyArray<Action["does"]>> = {
  openai: [...common, "show", "speak", "change"],
  google: [...common, "show", "speak"],
  bedrock: [...common, "speak"]
}

// ---------------------------------------------------------------------------------------------------------------------
// faults
// ---------------------------------------------------------------------------------------------------------------------

/** What a provider can do to its clients, by the name it has in the table. */
type Kinds = Readonly<Record<string, (dice: Dice) => ReadonlyArray<Fault.Fault>>>

const hit = (dice: Dice, provider: Provider): Hit => {
  const kinds = kindsOf(provider)
  const kind = dice.one(Object.keys(kinds))
  const meanwhile = dice.happens(12) ? dice.one(["interrupt", "type stop"] as const) : undefined
  // whoever does something while nobody is connected has been cut off, in the middle of a reply if there is one
  const cut = meanwhile && [Fault.drop(dice.happens(30) ? undefined : Fault.afterSent(messages[provider].piece))]
  const lasts = meanwhile === undefined ? dice.between(20, 250) : dice.between(300, 900)
  return {
    after: dice.between(0, 900),
    kind: cut === undefined ? kind : "drop",
    faults: cut ?? kinds[kind]!(dice),
    next: dice.happens(15) ? kinds[dice.one(Object.keys(kinds).filter((kind) => !awaitsChange.has(kind)))]!(dice) : [],
    outage: meanwhile || dice.happens(25) ? { status: dice.one([429, 503] as const), lasts } : undefined,
    meanwhile
  }
}

/** They wait for a change; what a connection is made with is none. */
export const awaitsChange = new Set(["refused change", "unconfirmed change"])

const kindsOf = (provider: Provider): Kinds => {
  const { called, finished, heard, piece } = messages[provider]
  // at once, or at a moment where it hurts
  const at = (dice: Dice) =>
    dice.happens(50)
      ? undefined
      : dice.happens(70)
        ? Fault.afterSent(dice.one([piece, piece, finished, called]), dice.between(1, 3))
        : Fault.afterReceived(heard, dice.between(1, 2))
  const everywhere: Kinds = {
    drop: (dice) => [Fault.drop(at(dice))],
    end: (dice) => [Fault.end(at(dice))],
    expire: (dice) => [Fault.expire(at(dice))],
    malformed: (dice) => [Fault.malformed(at(dice))],
    slow: (dice) => [Fault.slow(dice.between(5, 60))],
    duplicate: () => [Fault.duplicate(...messages[provider].numbered)],
    "late audio": (dice) => [Fault.lateAudio(dice.between(1, 4))],
    "tool storm": (dice) => [Fault.toolStorm(dice.between(2, 8))],
    "failed reply": (dice) => [Fault.failResponse({ afterChunks: dice.between(0, 2) })]
  }
  const close = (...codes: ReadonlyArray<number>) => ({
    close: (dice: Dice) => [Fault.close(dice.one(codes), "", at(dice))]
  })
  switch (provider) {
    case "openai":
      return {
        ...everywhere,
        ...close(1000, 1001, 1011, 1012, 1013, 4000),
        "lost request": () => [Fault.ignoreEvent("response.create")],
        "errors without a name": () => [Fault.errorsWithoutEventId],
        "one id for all": () => [Fault.sameEventId],
        "one id for all calls": () => [Fault.sameCallId],
        "refused change": () => [Fault.refuseEvent("session.update")],
        "unconfirmed change": () => [Fault.ignoreEvent("session.update")],
        "failed transcription": () => [Fault.failTranscription()]
      }
    case "google":
      return {
        ...everywhere,
        ...close(1000, 1001, 1011, 1012, 1013),
        "go away": (dice) => [Fault.goAway({ timeLeft: dice.between(100, 1500) })],
        "rejected handle": (dice) => [Fault.rejectResumption(), Fault.drop(at(dice))],
        "loud interruption": () => [Fault.audioWithInterruption],
        "text beside speech": () => [Fault.writtenText({ instead: false })],
        "calls as parts": (dice) => [Fault.callsAsParts({ also: dice.happens(50) })],
        background: (dice) => [Fault.background(dice.one(["turn", "inside", "top"] as const))]
      }
    case "bedrock":
      return {
        ...everywhere,
        reset: (dice) => [Fault.resetStream(dice.one([0, 2, 7, 8]), at(dice))],
        truncate: (dice) => [Fault.truncateFrame(at(dice))],
        "go away": (dice) => [Fault.goAway({ code: dice.one([0, 2]) })],
        exception: (dice) => {
          const trigger = at(dice)
          const [type, message] = dice.one(exceptions)
          return [Fault.exception(type, message, { leaveOpen: dice.happens(30), ...(trigger ? { at: trigger } : {}) })]
        }
      }
  }
}

/** A provider whose clock is wrong, or that is in a hurry for nothing. */
const clockOf = (provider: Provider, dice: Dice): Plan["clock"] => {
  switch (provider) {
    case "openai": {
      const [kind, by] = dice.one([
        ["clock slow by hours", -7_200_000],
        ["clock slow by a session", -3_600_000 + dice.between(0, 3000)],
        ["clock fast by a year", 31_536_000_000]
      ] as const)
      return { kind, faults: [Fault.clockSkew(by)] }
    }
    case "google":
      return {
        kind: "go away at once",
        faults: [Fault.push({ goAway: { timeLeft: dice.one(["0s", "-5s", "50s"]) } }, READY)]
      }
    case "bedrock":
      return { kind: "go away at once", faults: [Fault.goAway({ code: 0 })] }
  }
}

const READY = Fault.afterSent("setupComplete")

const exceptions = [
  ["throttlingException", "Too many requests"],
  ["modelStreamErrorException", "The model stream broke"],
  ["internalServerException", "Something went wrong"],
  ["serviceUnavailableException", "Busy"],
  ["modelTimeoutException", "The model took too long"],
  ["validationException", "Timed out waiting for input events"]
] as const

/** The messages of each wire at which a fault hurts. */
interface Messages {
  readonly piece: string
  readonly finished: string
  readonly called: string
  readonly heard: string
  /** Those that can be told from their repetition: all, where there are none here. */
  readonly numbered: ReadonlyArray<string>
}

const messages: Record<Provider, Messages> = {
  openai: {
    piece: "response.output_audio.delta",
    finished: "response.done",
    called: "response.function_call_arguments.done",
    heard: "conversation.item.create",
    numbered: []
  },
  google: {
    piece: "serverContent.modelTurn",
    finished: "serverContent.turnComplete",
    called: "toolCall",
    heard: "realtimeInput.text",
    numbered: ["toolCall", "goAway", "sessionResumptionUpdate", "setupComplete", "serverContent.interrupted"]
  },
  bedrock: {
    piece: "audioOutput",
    finished: "contentEnd",
    called: "toolUse",
    heard: "textInput",
    numbered: ["toolUse", "usageEvent", "contentStart", "contentEnd", "completionEnd"]
  }
}
