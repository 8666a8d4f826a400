/**
 * What the application adds to the conversation. Clients of providers without a place for it send it in brackets, as text
 * of the user. Here it becomes what it means: instructions of one reply, results of tools, notes.
 */
import type { Prompt, Turn } from "../../Prompt.ts"

/** Instructions for a reply that asks for nothing in particular. */
const anything = /^(?:say what you would say next|it is your turn to speak)\b/i

const opening = /\[From the application: |^\[/gm

/** The index after the bracket that closes the one at `at`. Unmatched brackets are skipped. */
const closeOf = (text: string, at: number): number | undefined => {
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text[i] === "[") depth++
    if (text[i] === "]" && --depth === 0) return i + 1
  }
  const last = text.lastIndexOf("]")
  return last > at ? last + 1 : undefined
}

type Piece = { readonly isAside: boolean; readonly text: string }

/** The text, split into what is in such brackets and what is not. */
const piecesOf = (text: string): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let from = 0
  for (const { 0: mark, index } of text.matchAll(opening)) {
    if (index < from) continue
    const end = closeOf(text, index)
    if (end === undefined) continue
    pieces.push({ isAside: false, text: text.slice(from, index) })
    pieces.push({ isAside: true, text: text.slice(index + mark.length, end - 1) })
    from = end
  }
  return [...pieces, { isAside: false, text: text.slice(from) }].filter((piece) => piece.text.trim() !== "")
}

// a value that is not JSON is text
const outputOf = (outcome: string, value: string): string => {
  if (!outcome.startsWith("failed")) return value
  try {
    return JSON.stringify({ error: JSON.parse(value) as unknown })
  } catch {
    return JSON.stringify({ error: value })
  }
}

const facts = [
  /^The tool (?<name>\S+), called earlier, has (?<outcome>finished|failed): (?<value>.*)$/,
  /^You called the tool (?<name>\S+) with (?<input>.*)\. It (?<outcome>returned|failed)(?: with)?:? (?<value>.*)$/s
]

/** A note as the turns that it describes: calls with their results, speech, or a system message. */
const noteOf = (text: string, key: string): ReadonlyArray<Turn> => {
  const meanwhile = /^This happened meanwhile:\n(.*)$/s.exec(text)
  if (meanwhile !== null) {
    return meanwhile[1]!.split(/\n(?=(?:User|You): )/).flatMap((line, i): ReadonlyArray<Turn> => {
      const said = line.replace(/^(?:User|You): /, "")
      if (line.startsWith("You: ")) return [{ role: "assistant", text: said }]
      return turnsOf({ role: "user", text: said, images: [] }, `${key}:${i}`)
    })
  }
  // several results come together, one in each line
  const lines = text.split("\n").every((line) => facts[0]!.test(line)) ? text.split("\n") : [text]
  return lines.flatMap((line, i): ReadonlyArray<Turn> => {
    const found = facts.map((fact) => fact.exec(line)?.groups).find((groups) => groups !== undefined)
    if (found === undefined) return [{ role: "system", text: line }]
    const { input = "{}", name, outcome, value } = found
    const callId = `told:${key}:${i}`
    return [
      { role: "call", callId, name: name!, arguments: input },
      { role: "result", callId, output: outputOf(outcome!, value!) }
    ]
  })
}

/** A turn without brackets. */
const turnsOf = (turn: Turn, key: string): ReadonlyArray<Turn> => {
  if (turn.role === "system") return noteOf(turn.text, key)
  if (turn.role !== "user") return [turn]
  const { images } = turn
  const turns = piecesOf(turn.text).flatMap(({ isAside, text }, i): ReadonlyArray<Turn> =>
    isAside ? noteOf(text, `${key}:${i}`) : [{ role: "user", text: text.trim(), images: [] }]
  )
  if (images.length === 0) return turns
  const at = turns.findLastIndex(({ role }) => role === "user")
  if (at < 0) return [...turns, { role: "user", text: "", images }]
  return turns.map((one, i) => (i === at && one.role === "user" ? { ...one, images } : one))
}

/** The prompt with all brackets replaced. */
export const withoutBrackets = (prompt: Prompt): Prompt => {
  const history = prompt.history.flatMap((turn, i) => turnsOf(turn, String(i)))
  const last = history.at(-1)
  // the application's last text in brackets is the instructions of this reply
  const isAsked = prompt.instructions === undefined && last?.role === "system" && prompt.history.at(-1)?.role === "user"
  const instructions = isAsked ? last.text : prompt.instructions
  return {
    ...prompt,
    history: isAsked ? history.slice(0, -1) : history,
    instructions: instructions !== undefined && anything.test(instructions) ? undefined : instructions
  }
}
