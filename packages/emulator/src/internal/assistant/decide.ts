/**
 * The script: what to say and call after the conversation so far.
 */
import type { Prompt, Reply, Tool, Turn } from "../../Prompt.ts"
import { withoutBrackets } from "./application.ts"
import { argumentsFor } from "./arguments.ts"
import { clausesOf } from "./clauses.ts"
import { introduction, sayRest, understand } from "./intents.ts"
import type { Move, Situation } from "./intents.ts"
import { listed } from "./language.ts"
import { restAfter } from "./rest.ts"
import { sayResult } from "./results.ts"

const text = (text: string): Reply => ({ text, calls: [] })

/** The text that the instructions dictate: `Say exactly: "..."`. */
const dictated = (instructions: string | undefined): string | undefined => {
  const match = /\bsay exactly\b\s*:?\s*([\s\S]+)/i.exec(instructions ?? "")
  if (match === null) return undefined
  const quoted = /^["“]([\s\S]*)["”]/.exec(match[1]!)
  return (quoted?.[1] ?? match[1]!).replace(/\\"/g, '"').trim()
}

const wantsMore = (words: string): boolean =>
  /\b(?:continue|carry on|go on|resume|pick up|keep going|left off)\b/i.test(words)

const isSpeech = (turn: Turn): turn is Extract<Turn, { role: "assistant" }> =>
  turn.role === "assistant" && turn.text.trim() !== ""

/** Whether a dictated text is to be continued. */
const isContinued = (instructions: string | undefined): boolean =>
  wantsMore(instructions?.split(/\bsay exactly\b/i)[0] ?? "")

/** The rest of the last reply when it was cut off; `undefined` when it is not known. */
const restOfLast = (prompt: Prompt): string | undefined => {
  const { history, instructions } = prompt
  const at = history.findLastIndex(({ role }) => role !== "system")
  const told = history[at]
  if (told === undefined || !isSpeech(told)) return undefined
  const made = /\bmade by these instructions: ([\s\S]*)$/.exec(instructions ?? "")?.[1]
  const whole = decide({ ...prompt, history: history.slice(0, at), instructions: made }).text
  const rest = whole === undefined ? undefined : restAfter(whole, told.text)
  return rest === "" ? "That was all." : rest
}

/** The index of the first user turn without a reply. */
const unanswered = (history: ReadonlyArray<Turn>): number => {
  const last = history.findLastIndex((turn) => isSpeech(turn) || turn.role === "call")
  const first = history.findIndex((turn, i) => i > last && turn.role === "user")
  return first < 0 ? history.length : first
}

const sayResults = (history: ReadonlyArray<Turn>): ReadonlyArray<string> => {
  const since = history.findLastIndex(isSpeech)
  const fresh = history.slice(since + 1).flatMap((turn) => (turn.role === "result" ? [turn] : []))
  return fresh.map(({ callId, output }) => {
    const call = history.find((turn) => turn.role === "call" && turn.callId === callId)
    return sayResult(call?.role === "call" ? call.name : "tool", output)
  })
}

const lookAt = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> =>
  turns.flatMap((turn) =>
    turn.role === "user"
      ? turn.images.map(({ bytes, mediaType }) => `I can see the image (${mediaType}, ${bytes} bytes).`)
      : []
  )

/** What the user turns from `from` on ask for, in order. */
const movesFor = (prompt: Prompt, from: number): ReadonlyArray<Move> => {
  const turns = prompt.history.slice(from)
  const seen = lookAt(turns)
  const moves: Array<Move> = seen.map((text) => ({ _tag: "Say", text }))
  for (const [index, turn] of turns.entries()) {
    if (turn.role !== "user" || turn.text.trim() === "") continue
    const situation: Situation = { prompt, before: prompt.history.slice(0, from + index) }
    for (const clause of clausesOf(turn.text, (part) => understand(part, situation) !== undefined)) {
      const understood = understand(clause, situation)
      if (understood !== undefined) moves.push(...understood)
      else if (seen.length === 0)
        moves.push({ _tag: "Say", text: `You said: "${clause.trim()}". My script has no answer to that.` })
    }
  }
  return moves
}

const compose = (moves: ReadonlyArray<Move>, before: ReadonlyArray<string>): Reply => {
  const said = new Set([...before, ...moves.flatMap((move) => (move._tag === "Say" ? [move.text] : []))])
  return {
    text: said.size === 0 ? undefined : [...said].join(" "),
    calls: moves.flatMap((move) => (move._tag === "Call" ? [{ name: move.tool.name, arguments: move.arguments }] : []))
  }
}

/** The next call, when calls are made one at a time. */
const nextCalls = (prompt: Prompt): Reply | undefined => {
  const history = prompt.history
  const lastCall = history.findLastIndex((turn) => turn.role === "call")
  const since = history.findLastIndex((turn, i) => i < lastCall && isSpeech(turn))
  if (lastCall < 0 || history.slice(lastCall).some((turn) => isSpeech(turn) || turn.role === "user")) return undefined
  const from = history.findIndex((turn, i) => i > since && turn.role === "user")
  if (from < 0) return undefined
  const done = history.slice(from).filter((turn) => turn.role === "call").length
  const asked = movesFor(
    { ...prompt, history: history.slice(0, lastCall).filter((turn, i) => i < from || turn.role === "user") },
    from
  )
  const { calls } = compose(asked, [])
  return done < calls.length ? { text: undefined, calls: calls.slice(done, done + 1) } : undefined
}

const withChoice = (prompt: Prompt, reply: Reply): Reply => {
  const { toolChoice, tools } = prompt
  if (toolChoice === "auto" || toolChoice === "none") return reply
  const forced: Tool | undefined =
    toolChoice === "required" ? tools[0] : tools.find(({ name }) => name === toolChoice.name)
  if (forced === undefined || (toolChoice === "required" && reply.calls.length > 0)) return reply
  const chosen = reply.calls.filter(({ name }) => name === forced.name)
  if (chosen.length > 0) return { text: undefined, calls: chosen }
  const said = prompt.history.findLast((turn) => turn.role === "user")
  return {
    text: undefined,
    calls: [{ name: forced.name, arguments: argumentsFor(forced, said?.role === "user" ? said.text : "") }]
  }
}

const answer = (prompt: Prompt): Reply => {
  const { history, instructions } = prompt
  const results = sayResults(history)
  const from = unanswered(history)
  if (from < history.length) return compose(movesFor(prompt, from), results)
  if (results.length > 0) return (prompt.parallelCalls ? undefined : nextCalls(prompt)) ?? text(results.join(" "))
  const last = history.at(-1)
  const asked = `${instructions ?? ""} ${last?.role === "system" ? last.text : ""}`
  if (wantsMore(asked)) {
    const rest = sayRest(history) ?? restOfLast(prompt)
    if (rest !== undefined) return text(rest)
  }
  const waiting = history.filter(
    (turn) => turn.role === "call" && !history.some((other) => other.role === "result" && other.callId === turn.callId)
  )
  if (last?.role === "call" && waiting.length > 0) {
    return text(`I am still waiting for ${listed(waiting.map((turn) => (turn.role === "call" ? turn.name : "")))}.`)
  }
  if (history.every((turn) => turn.role === "system")) {
    return text(`Hello. ${introduction} Ask me for the time, a sum, the weather or a long story.`)
  }
  if (/\breconnect/i.test(asked)) return text("I am back. Please go on.")
  return instructions === undefined || instructions.trim() === ""
    ? text("Is there anything else?")
    : text(`I was asked for this: ${instructions.trim()} My script cannot do more about it.`)
}

/** What is said and called next. */
export const decide = (given: Prompt): Reply => {
  const prompt = withoutBrackets(given)
  const said = dictated(prompt.instructions)
  if (said !== undefined) return text((isContinued(prompt.instructions) ? restOfLast(prompt) : undefined) ?? said)
  const offered = prompt.toolChoice === "none" ? { ...prompt, tools: [] } : prompt
  const reply = withChoice(offered, answer(offered))
  return offered.parallelCalls ? reply : { ...reply, calls: reply.calls.slice(0, 1) }
}
