/**
 * What must hold of every conversation, read from the emulator's log over all its connections.
 *
 * 1. Lost: what was typed or said was answered by the model, and the last connection knows all of it. Every tool that
 *    the model called ran, and the last connection knows its result.
 * 2. Duplicated: no connection is told a text or a result twice, whether as history or live; no tool runs twice; what was
 *    answered is not answered again, unless the user cut the answer off; the history holds each text once. All of it in
 *    the order in which it was sent.
 * 3. Counted: the tokens that the agent reports are those that each connection counted.
 * 4. Leaked: when the conversation is over there is no socket and no fiber of it.
 * 5. Stormed: a provider that is in a hurry for nothing, or whose clock is wrong, is not connected to again and again.
 * 6. Misled: the last connection has the instructions of the last change that held, and no change is refused that the
 *    provider did not refuse. Who was interrupted while nobody was connected is not told to go on.
 * 7. Wrong end: it ends as the log predicts, with `ConnectionClose` as its last event, and every `send` ends. It does not
 *    end before the last reply was heard, and what the store took is all that was said, or `StoreFailed` says how much not.
 */
import { BidiError, type BidiEvent } from "@effect-bidi/core"
import type { Emulator } from "@effect-bidi/emulator"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Json } from "./lab.ts"
import { calledFor, type Generation, generation, isGoneOn, LAST_MOMENT, version } from "./log.ts"
import { answers, asks } from "./mind.ts"
import type { Outcome } from "./play.ts"

export const kinds = ["lost", "duplicated", "miscounted", "leaked", "stormed", "misled", "wrong end"] as const

export interface Broken {
  readonly kind: (typeof kinds)[number]
  readonly what: string
}

/** Everything that does not hold. */
export const broken = (outcome: Outcome): ReadonlyArray<Broken> => {
  const found: Array<Broken> = []
  const wrong = (kind: Broken["kind"], what: string) => void found.push({ kind, what })
  const check = (kind: Broken["kind"], holds: boolean, what: string) => (holds ? undefined : wrong(kind, what))
  const { events, exit, log, mind, plan, ran, refused, sent, spoken } = outcome
  const survives = plan.fate === "survives"

  // 3. counted
  const generations: Array<Generation> = []
  let ordinal = 0
  for (const event of events) {
    if (event._tag !== "ConnectionStart") continue
    ordinal++
    const found = generation(plan.provider, log, event.connectionId, generations.at(-1)?.connection ?? 0)
    // one that was lost before it had said its name was told nothing else
    if (found === undefined) continue
    generations.push(found)
    const what = miscounted(found, usageOf(events, ordinal), outcome.heldUp)
    if (what !== undefined) wrong("miscounted", `connection ${found.connection}: ${what}`)
  }
  const last = generations.at(-1)
  const typed = sent.flatMap((text) => asks(text)[0] ?? [])
  const inOrder = typed.toSorted((a, b) => numberOf(a) - numberOf(b))
  const uses = events.filter((event) => event._tag === "ToolUse")
  const direct = ran.filter((result) => result.startsWith("done-d"))

  // 1. lost
  if (survives) {
    for (const text of inOrder) {
      check("lost", mind.answered.includes(text), `${text} was not answered`)
      check("lost", last?.texts.includes(text) === true, `the last connection does not know ${text}`)
    }
    for (const one of spoken) check("lost", mind.answered.includes(one), `${one} was not answered`)
    for (const result of ran) {
      check("lost", last?.results.includes(result) === true, `the last connection does not know ${result}`)
    }
    for (const result of calledFor(plan.provider, log, outcome.heldUp)) {
      check("lost", ran.includes(result), `the tool for ${result} was called and did not run`)
    }
    check("lost", ran.length - direct.length === uses.length, `${uses.length} calls, but ${ran} ran`)
    // who cuts the model off does not want the rest; and what it does not do on a connection that works is told
    const { results, texts } = outcome.owed
    const isCut =
      plan.actions.some(({ does }) => does === "interrupt") ||
      outcome.interruptedAfter.length > 0 ||
      events.some(({ _tag, ...event }) => _tag === "Error" && "code" in event && unanswered.has(event.code))
    check("lost", isCut || results.length === 0, `no reply came of ${results}`)
    const isLast = (text: string) => numberOf(text) === plan.actions.length
    // elsewhere it is one wish among others of the model; a storm is a reply to anything
    const isFree = plan.provider !== "openai" || outcome.hits.includes("tool storm")
    check("lost", isCut || isFree || !texts.some(isLast), `${texts} was not said`)
    check("lost", typed.length >= plan.actions.filter(types).length, `only ${typed} left`)
  }

  // 2. duplicated
  for (const { connection, results, texts } of generations) {
    check("duplicated", isUnique(texts), `connection ${connection} was told ${texts}`)
    check("duplicated", isUnique(results), `connection ${connection} was told ${results}`)
    const own = texts.filter((text) => text.startsWith("m"))
    const ordered = own.toSorted((a, b) => numberOf(a) - numberOf(b))
    check("duplicated", String(own) === String(ordered), `connection ${connection} was told in another order: ${own}`)
  }
  check("duplicated", isUnique(ran), `tools ran twice: ${ran}`)
  check("duplicated", isUnique(uses.map(({ id }) => id)), "a call was announced twice")
  const settled = events.flatMap((event) => (event._tag === "ToolResult" ? [event.id] : []))
  check("duplicated", isUnique(settled), "a call had two outputs")
  const said = outcome.history.content.flatMap((message) => {
    if (message.role !== "user" && message.role !== "assistant") return []
    const text = message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(" ")
    const { interrupted } = message.options["effect-bidi"] as Json
    return [{ role: message.role, text, isWhole: interrupted !== true }]
  })
  const byUser = said.flatMap(({ role, text }) => (role === "user" ? asks(text) : []))
  check("duplicated", isUnique(byUser), `the history has ${byUser}`)
  if (survives) {
    const missing = inOrder.filter((text) => !byUser.includes(text))
    check("lost", missing.length === 0, `the history lacks ${missing}`)
    // words that never come are in no history
    const unheard = spoken.filter((one) => !byUser.includes(one))
    check("lost", unheard.length <= failedWords(log), `the history lacks ${unheard}`)
    const own = byUser.filter((text) => text.startsWith("m") && !outcome.unkept.includes(text))
    check("duplicated", String(own) === String(inOrder), `the history has another order: ${own}`)
  }
  const heard = new Set<string>()
  for (const { isWhole, role, text } of said) {
    if (role !== "assistant") continue
    for (const one of answers(text)) {
      check("duplicated", !heard.has(one), `the answer to ${one} was heard again`)
      if (isWhole) heard.add(one)
    }
  }
  for (const { role, text } of said) {
    if (role !== "assistant" || text.trim() === "") continue
    check(
      "lost",
      mind.said.some((one) => one.startsWith(text.trim())),
      `nobody ever said "${text}"`
    )
  }

  // 4. leaked
  check("leaked", outcome.sockets === 0, `${outcome.sockets} sockets are open`)
  check("leaked", outcome.fibers === 0, `${outcome.fibers} fibers are alive`)

  // 5. stormed: renewals at ages of one second, two, four, and so on
  const renewals = events.filter((event) => event._tag === "ConnectionRestart" && event.reason === "scheduled").length
  // and a change may need one of its own
  const most = Math.log2(outcome.millis / 1000 + 2) + outcome.changes.length
  check("stormed", plan.clock === undefined || renewals <= most, `${renewals} renewals in ${outcome.millis} ms`)

  // 6. misled
  if (survives && last !== undefined) {
    const holds = outcome.changes.findLast(({ error }) => error === undefined)?.version ?? 0
    const told = version(plan.provider, log, last.connection)
    check("misled", told === holds, `the last connection is of version ${told}, the last change that held was ${holds}`)
  }
  for (const { error, version } of outcome.changes) {
    if (error === undefined) continue
    const tag = error instanceof BidiError.BidiError ? error.reason._tag : String(error)
    const isRefusal = tag === "InvalidRequest"
    check("misled", !isRefusal || refusedChanges(log) > 0, `the change to ${version} was refused by nobody`)
    check("misled", error instanceof BidiError.BidiError, `the change to ${version} failed with ${tag}`)
  }
  for (const after of outcome.interruptedAfter) {
    const next = generations[after]
    if (next !== undefined) {
      check(
        "misled",
        !isGoneOn(log, next.connection),
        `connection ${next.connection} goes on with what was interrupted`
      )
    }
  }

  // 7. the end
  const large = plan.actions.filter(({ does }) => does === "type too much").length
  const ended = events.filter(
    (event) => event._tag === "ConnectionRestart" && event.cause?.reason.code === "1009"
  ).length
  check("wrong end", ended <= 2 * large, `${ended} connections ended of ${large} messages`)
  if (plan.ends === "inputs end") {
    const isCut = (hit: string) => hit === "failed reply" || hit === "tool storm"
    const end = said.findLast(({ role }) => role === "assistant")
    check("wrong end", end?.isWhole === true || outcome.hits.some(isCut), "it ended in the middle of a reply")
  }
  if (plan.store === "slow") {
    const kept = outcome.stored.flatMap((entry) =>
      entry._tag === "User" ? entry.parts.flatMap((part) => (typeof part === "string" ? asks(part) : [])) : []
    )
    const unkept = inOrder.filter((text) => !kept.includes(text))
    check("lost", unkept.length === 0, `the store lacks ${unkept}`)
  }
  if (outcome.stuck !== undefined) wrong("wrong end", outcome.stuck)
  const [end, predicted] = [endOf(exit), predict(outcome)]
  check("wrong end", end === predicted, `it ended with ${end}, the log predicts ${predicted}`)
  check("wrong end", events.at(-1)?._tag === "ConnectionClose", "the last event is not ConnectionClose")
  for (const error of refused) {
    check("wrong end", !survives && error instanceof BidiError.BidiError, `a text was refused: ${String(error)}`)
  }
  return found
}

const types = ({ does }: Outcome["plan"]["actions"][number]) =>
  does === "type" || does === "show" || does === "ask for a tool" || does === "ask for tools"

const numberOf = (text: string) => Number(/\d+/.exec(text))

const isUnique = (list: ReadonlyArray<unknown>) => new Set(list).size === list.length

// ---------------------------------------------------------------------------------------------------------------------
// what was counted
// ---------------------------------------------------------------------------------------------------------------------

/** What the agent reported while its n-th connection was current. */
const usageOf = (events: ReadonlyArray<BidiEvent.Output>, n: number): ReadonlyArray<number> => {
  let current = 0
  return events.flatMap((event) => {
    if (event._tag === "ConnectionStart") current++
    return event._tag === "Usage" && current === n ? [event.totalTokens] : []
  })
}

const miscounted = (
  { brokenAt = Infinity, closedAt = Infinity, usage }: Generation,
  reported: ReadonlyArray<number>,
  heldUp: number
): string | undefined => {
  const counted = usage.map(({ tokens }) => tokens)
  const missing = usage.slice(reported.length)
  const lastMoment = closedAt - LAST_MOMENT - 2 * heldUp
  const isPrefix = reported.every((tokens, index) => tokens === counted[index])
  if (!isPrefix || missing.some(({ at }) => at < Math.min(brokenAt, lastMoment))) {
    return `it counted ${counted}, reported were ${reported}`
  }
  return undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// the end
// ---------------------------------------------------------------------------------------------------------------------

// what the provider did not do in time; at once, or though it was asked twice
const unanswered = new Set<unknown>(["Unanswered", "no_reply"])

const failedWords = (log: ReadonlyArray<Emulator.Entry>) =>
  log.filter((entry) => entry.kind === "sent" && entry.type === "conversation.item.input_audio_transcription.failed")
    .length

const refusedChanges = (log: ReadonlyArray<Emulator.Entry>) =>
  log.filter(
    (entry) => entry.kind === "sent" && entry.type === "error" && /session\.update/.test(JSON.stringify(entry))
  ).length

const endOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return String(exit.value)
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error instanceof BidiError.BidiError ? error.reason._tag : String(exit.cause)
}

const refusals: Readonly<Record<number, string>> = { 401: "Auth", 429: "RateLimited", 503: "ServerFault" }

/** How it has to end, as the provider saw it. */
const predict = ({ log, plan }: Outcome): string => {
  if (plan.ends === "inputs end") return "complete"
  if (plan.store === "failing" || plan.store === "hanging") return "StoreFailed"
  const end = log.findLast((entry) => entry.kind === "refused" || entry.kind === "opened")
  // one that is refused while another is open was to replace it
  if (end?.kind === "refused" && !isOpen(log.slice(0, log.indexOf(end)))) {
    return refusals[end.status] ?? `a refusal with ${end.status}`
  }
  if (plan.fate === "limit" && log.some((entry) => entry.connection === end?.connection && isExpiry(entry))) {
    return "SessionExpired"
  }
  return "client_disconnect"
}

const isOpen = (log: ReadonlyArray<Emulator.Entry>): boolean =>
  log.filter(({ kind }) => kind === "opened").length > log.filter(({ kind }) => kind === "closed").length

const isExpiry = (entry: Emulator.Entry): boolean => {
  if (entry.kind === "closed") return /deadline/i.test(entry.reason)
  if (entry.kind !== "sent") return false
  const { error, exception, goAway } = entry.event as Json
  return error?.code === "session_expired" || exception?.type === "modelTimeoutException" || goAway !== undefined
}
