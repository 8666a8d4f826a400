/**
 * What can be read from an emulator's log: what each connection was told, in order, and what it counted.
 */
import type { Emulator } from "@effect-bidi/emulator"
import { isDeepStrictEqual } from "node:util"
import { type Json, labs } from "./lab.ts"
import { asks, withoutArguments } from "./mind.ts"
import type { Provider } from "./plan.ts"

/** What a provider says in the last moment of a connection, in milliseconds, may not arrive any more. */
export const LAST_MOMENT = 250

/** One connection that became the conversation's. */
export interface Generation {
  readonly connection: number
  /** Texts and phrases that it was told, as history or live, in order. */
  readonly texts: ReadonlyArray<string>
  /** Results of tools that it was told, as outputs or in words. */
  readonly results: ReadonlyArray<string>
  /** Tokens that it counted, in order, and when. */
  readonly usage: ReadonlyArray<{ readonly tokens: number; readonly at: number }>
  /** When something left that no client reads on after. */
  readonly brokenAt: number | undefined
  /** When the provider saw it end. */
  readonly closedAt: number | undefined
}

/** The next one after the connection `after`; `id` is the provider's name of it, which one that is resumed keeps. */
export const generation = (
  provider: Provider,
  log: ReadonlyArray<Emulator.Entry>,
  id: string,
  after: number
): Generation | undefined => {
  const connection = log.find(
    (entry) => entry.connection > after && isMessage(entry) && introduces(entry.event, id)
  )?.connection
  if (connection === undefined) return undefined
  const own = log.filter((entry) => entry.connection === connection)
  return {
    connection,
    ...knowledge(log, connection, log.length),
    usage: own.flatMap((entry, index) => {
      const tokens = entry.kind === "sent" ? labs[provider].usage(entry.event) : undefined
      // a message that is sent twice counts once
      const before = own[index - 1]
      const again = before?.kind === "sent" && isDeepStrictEqual(before.event, (entry as Emulator.Message).event)
      return tokens === undefined || again ? [] : [{ tokens, at: entry.at }]
    }),
    brokenAt: own.find((entry) => entry.kind === "sent" && (entry.type === "" || "exception" in entry.event))?.at,
    closedAt: own.findLast((entry) => entry.kind === "closed")?.at
  }
}

const isMessage = (entry: Emulator.Entry): entry is Emulator.Message =>
  entry.kind === "received" || entry.kind === "sent"

// `session.created` (OpenAI), `setupComplete` (Gemini), `promptStart` (Nova)
const introduces = (event: Json, id: string): boolean =>
  event.session?.id === id || event.setupComplete?.sessionId === id || event.event?.promptStart?.promptName === id

/** What a connection knows of the talk after the first `until` lines of the log. */
const knowledge = (
  log: ReadonlyArray<Emulator.Entry>,
  connection: number,
  until: number
): Pick<Generation, "texts" | "results"> => {
  const texts: Array<string> = []
  const results: Array<string> = []
  for (const entry of log.slice(0, until)) {
    if (entry.connection !== connection || entry.kind !== "received") continue
    const handle = (entry.event as Json).setup?.sessionResumption?.handle
    if (typeof handle === "string") {
      // it goes on where the provider kept another one
      const kept = log.findIndex((one) => one.kind === "sent" && newHandle(one.event) === handle)
      const { connection } = log[kept]!
      const known = knowledge(log, connection, kept)
      // what nobody had answered then is asked again
      const answer = log.findLastIndex((one, i) => i < kept && one.connection === connection && isAnswer(one))
      const open = answer === -1 ? [] : known.texts.slice(knowledge(log, connection, answer).texts.length)
      texts.push(...known.texts.filter((text) => !open.includes(text)))
      results.push(...known.results)
    }
    const told = wordsIn(entry.event)
    texts.push(...asks(told))
    results.push(...(told.match(/\bdone-\w+/g) ?? []))
  }
  return { texts, results }
}

/** All texts in a message, without the arguments of tools. */
const wordsIn = (value: unknown): string => {
  if (typeof value === "string") return withoutArguments(value)
  return typeof value === "object" && value !== null ? Object.values(value).map(wordsIn).join("\n") : ""
}

// words or calls
const isAnswer = (entry: Emulator.Entry): boolean => {
  if (entry.kind !== "sent") return false
  const { serverContent, toolCall } = entry.event as Json
  return toolCall !== undefined || serverContent?.outputTranscription !== undefined
}

/** The version of the instructions that a connection has in the end. */
export const version = (provider: Provider, log: ReadonlyArray<Emulator.Entry>, connection: number) => {
  const own = log.filter((entry) => entry.connection === connection).filter(isMessage)
  const told = own.filter(({ event, kind, type }) => {
    if (provider === "openai") return kind === "sent" && type === "session.updated"
    return kind === "received" && (provider === "google" ? "setup" in event : type === "textInput")
  })
  const versions = told.flatMap(({ event }) => /This is version v(\d+)\./.exec(JSON.stringify(event))?.[1] ?? [])
  return versions.length === 0 ? undefined : Number(versions.at(-1))
}

/** Whether a connection is told to go on where another one stopped. */
export const isGoneOn = (log: ReadonlyArray<Emulator.Entry>, connection: number): boolean =>
  log.some(
    (entry) =>
      entry.connection === connection &&
      entry.kind === "received" &&
      JSON.stringify(entry.event).includes("Go on exactly where")
  )

/** Results that calls are for which left long before their connection ended. Gemini takes calls back, and is not asked. */
export const calledFor = (
  provider: Provider,
  log: ReadonlyArray<Emulator.Entry>,
  heldUp: number
): ReadonlyArray<string> => {
  if (provider === "google") return []
  return log.flatMap((entry) => {
    if (entry.kind !== "sent") return []
    const end = log.find((one) => one.kind === "closed" && one.connection === entry.connection)
    const broken = log.find((one) => one.kind === "sent" && one.connection === entry.connection && one.type === "")
    const until = Math.min((end?.at ?? Infinity) - LAST_MOMENT - 2 * heldUp, broken?.at ?? Infinity)
    if (entry.at > until) return []
    return callsIn(provider, entry).flatMap((call) => {
      const name = /tool-(\w+)-\d+/.exec(JSON.stringify(call))?.[1]
      return name === undefined ? [] : [`done-${name}`]
    })
  })
}

// those of a reply that was cut off are not made
const callsIn = (provider: Provider, { event, type }: Emulator.Message): ReadonlyArray<Json> => {
  if (provider === "bedrock") return type === "toolUse" ? [event] : []
  const { response } = event as Json
  if (type !== "response.done" || response.status !== "completed") return []
  return response.output.filter((item: Json) => item.type === "function_call")
}

const newHandle = (event: Json): unknown => event.sessionResumptionUpdate?.newHandle
