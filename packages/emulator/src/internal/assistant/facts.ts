/**
 * Facts that users tell about themselves. They are found in the conversation: "my name is Ada", "my favourite colour is blue".
 */
import type { Turn } from "../../Prompt.ts"
import { capital } from "./language.ts"

export interface Fact {
  readonly about: string
  readonly value: string
}

const clean = (text: string): string => text.replace(/[.!?,;]+$/, "").trim()

const nameOf = (text: string): string => clean(text).split(/\s+/).slice(0, 3).map(capital).join(" ")

/** The fact in a statement. Questions have none. */
export const factIn = (text: string): Fact | undefined => {
  const statement = text.trim()
  if (/\?\s*$/.test(statement) || /^(?:what|who|where|when|how|do|does|is|can|could|tell)\b/i.test(statement))
    return undefined
  const called =
    /\b(?:i am called|i'm called|call me|my name is|my name's)\s+([\p{L}][\p{L}'-]*(?:\s+\p{Lu}[\p{L}'-]*)*)/iu.exec(
      statement
    )
  if (called !== null) return { about: "name", value: nameOf(called[1]!) }
  const mine = /\bmy\s+([\p{L}][\p{L} ]*?)\s+(?:is|are)\s+([^.!?]+)/iu.exec(statement)
  if (mine !== null) return { about: mine[1]!.toLowerCase(), value: clean(mine[2]!) }
  const lives = /\bi live in\s+([^.!?,]+)/i.exec(statement)
  return lives === null ? undefined : { about: "home", value: clean(lives[1]!) }
}

/** The fact that a question asks for. */
export const factAsked = (text: string): string | undefined => {
  if (/\bwhere do i live\b/i.test(text)) return "home"
  if (/\bwho am i\b/i.test(text)) return "name"
  const mine =
    /\b(?:what(?:'s| is| are| was)|do you (?:know|remember)|tell me|remember)\s+my\s+([\p{L}][\p{L} ]*)/iu.exec(text)
  return mine === null ? undefined : mine[1]!.trim().toLowerCase()
}

/** The newest value of a fact. */
export const recall = (history: ReadonlyArray<Turn>, about: string): string | undefined => {
  for (const turn of history.toReversed()) {
    if (turn.role !== "user") continue
    for (const part of turn.text.split(/(?<=[.!?])\s+/).toReversed()) {
      const fact = factIn(part)
      if (fact?.about === about) return fact.value
    }
  }
  return undefined
}
