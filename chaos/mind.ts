/**
 * The model behind the wire: answers whatever it finds unanswered, calls the tools that are asked for, and remembers what
 * it was asked. Texts are `m<number>`, phrases that are spoken are `s<number>`, and every answer names what it is to.
 */
import type { Assistant, Prompt } from "@effect-bidi/emulator"

export interface Mind {
  readonly assistant: Assistant.Assistant
  /** Every text and every phrase that a reply was begun to, as often as it was. */
  readonly answered: ReadonlyArray<string>
  /** Everything it meant to say. */
  readonly said: ReadonlyArray<string>
  /** The results of tools that it knew when it replied. */
  readonly noticed: ReadonlySet<string>
}

/** The texts and phrases in something that the user said. */
export const asks = (text: string): ReadonlyArray<string> => text.match(/\b[ms]\d+\b/g) ?? []

/** What is left of a text without what tools were called with. */
export const withoutArguments = (text: string): string => text.replace(/"name":\s*"[^"]*"/g, "")

/** Those that an answer is to. */
export const answers = (text: string): ReadonlyArray<string> => text.match(/(?<=\bno)[ms]\d+\b/g) ?? []

interface Question {
  readonly id: string
  readonly tools: ReadonlyArray<string>
}

const questionsIn = (text: string): ReadonlyArray<Question> =>
  (withoutArguments(text).match(/\b[ms]\d+\b(?: tool-\w+-\d+)*/g) ?? []).map((one) => {
    const [id = "", ...tools] = one.split(" ")
    return { id, tools }
  })

// as arguments of a call, or of one that is told in words
const callsIn = (text: string): ReadonlyArray<string> => text.match(/(?<="name":\s*")tool-\w+-\d+/g) ?? []

const questions = (history: ReadonlyArray<Prompt.Turn>): ReadonlyArray<Question> => {
  const known = new Set(
    history.flatMap((turn) => {
      switch (turn.role) {
        case "assistant":
          return answers(turn.text)
        case "call":
          return callsIn(turn.arguments)
        case "result":
          return []
        default:
          return callsIn(turn.text)
      }
    })
  )
  const asked = history.flatMap((turn) => (turn.role === "user" ? questionsIn(turn.text) : []))
  return asked.filter(
    ({ id, tools }, index) =>
      !known.has(id) && !tools.some((tool) => known.has(tool)) && asked.findIndex((other) => other.id === id) === index
  )
}

const WORDS = ["well", "now", "so", "then", "and", "there", "it", "is"]

export const make = (): Mind => {
  const answered: Array<string> = []
  const said: Array<string> = []
  const noticed = new Set<string>()

  const say = (text: string) => {
    said.push(text)
    return { text, calls: [] }
  }

  const assistant: Assistant.Assistant = ({ history, instructions = "" }) => {
    for (const result of JSON.stringify(history).match(/\bdone-\w+/g) ?? []) noticed.add(result)
    const open = questions(history)
    answered.push(...open.map(({ id }) => id))
    const names = open.flatMap(({ tools }) => tools)
    if (names.length > 0)
      return { text: undefined, calls: names.map((name) => ({ name: "work", arguments: { name } })) }
    if (open.length > 0) {
      const rest = WORDS.slice(0, 1 + (said.length % WORDS.length)).join(" ")
      return say(`About ${open.map(({ id }) => `no${id}`).join(" and ")}, ${rest}.`)
    }
    // as instructions, or as the last thing that was written
    const last = history.at(-1)
    const wish = `${instructions}\n${last?.role === "user" ? last.text : ""}`
    return say(/Say exactly: \\?"([^"\\]*)/.exec(wish)?.[1] ?? "Go on.")
  }

  return { assistant, answered, said, noticed }
}
