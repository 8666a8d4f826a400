/**
 * What one clause of the user asks for.
 */
import type { Prompt, Tool, Turn } from "../../Prompt.ts"
import { argumentsFor } from "./arguments.ts"
import { expressionIn } from "./arithmetic.ts"
import { factAsked, factIn, recall } from "./facts.ts"
import { fieldsOf } from "./schema.ts"
import { asksForStory, restOfStory, shortStory, story } from "./story.ts"
import { kinds, toolNamedIn, toolOfKind } from "./tools.ts"
import type { Kind } from "./tools.ts"

/** What a clause leads to. */
export type Move =
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Call"; readonly tool: Tool; readonly arguments: { readonly [key: string]: unknown } }

export interface Situation {
  readonly prompt: Prompt
  /** The conversation before the clause. */
  readonly before: ReadonlyArray<Turn>
}

type Understand = (clause: string, situation: Situation) => ReadonlyArray<Move> | undefined

/** Asked when a question about the weather has no place. The next turn is the answer. */
export const whichPlace = "For which place?"

export const introduction = "I am a scripted emulator, not an AI."

const abilities = "You can ask me for the time, a sum, the weather or a long story, or tell me your name."

const say = (text: string): ReadonlyArray<Move> => [{ _tag: "Say", text }]

const call = (tool: Tool, clause: string): ReadonlyArray<Move> => [
  { _tag: "Call", tool, arguments: argumentsFor(tool, clause) }
]

const lastSaid = (turns: ReadonlyArray<Turn>, role: "user" | "assistant"): string | undefined => {
  const turn = turns.findLast((turn) => turn.role === role && turn.text.trim() !== "")
  return turn?.role === role ? turn.text : undefined
}

const useKind =
  (kind: Kind, otherwise: string): Understand =>
  (clause, { prompt }) => {
    const tool = toolOfKind(prompt.tools, kind)
    return tool === undefined ? say(otherwise) : call(tool, clause)
  }

const answerWeather: Understand = (clause, situation) => {
  const tool = toolOfKind(situation.prompt.tools, kinds.weather)
  if (tool === undefined) return say("I have no weather service to ask.")
  const needsPlace = fieldsOf(tool.parameters).properties.some(
    ({ field, name, required }) => required && field.type === "string" && kinds.weather.parameter.test(name)
  )
  return needsPlace && !/\b(?:in|for|at|near)\s+\S/i.test(clause) ? say(whichPlace) : call(tool, clause)
}

const sumWords =
  /\b(?:calculate|compute|work out|how much is|what(?:'s| is)|evaluate|plus|minus|times|divided|multipl\w+|percent|squared|cubed|add|subtract|divide|sum|product)\b/i

/** In the order in which they are tried. */
const known: ReadonlyArray<readonly [(clause: string, situation: Situation) => boolean, Understand]> = [
  [
    (clause) => /\b(?:call|use|run|try) (?:every|all|each)(?: (?:of )?(?:the |your )?)?(?: ?tools?)?\b/i.test(clause),
    (_, { prompt }) => {
      const moves = prompt.tools.flatMap((tool) => call(tool, ""))
      return moves.length === 0 ? say("I have no tools to call.") : moves
    }
  ],
  [
    (clause) =>
      /\bwhat (?:did|were|was|have) you (?:just )?(?:say|saying|said)\b|\b(?:say that again|repeat that|come again)\b/i.test(
        clause
      ),
    (_, { before }) => {
      const said = lastSaid(before, "assistant")
      return say(said === undefined ? "I have not said anything yet." : `I said: ${said}`)
    }
  ],
  [
    (clause) => /\bwhat (?:did|have) i (?:just )?(?:say|said|ask)\b/i.test(clause),
    (_, { before }) => {
      const said = lastSaid(before, "user")
      return say(said === undefined ? "You had not said anything before." : `You said: ${said}`)
    }
  ],
  [
    (clause) =>
      /^\W*(?:please |ok |okay |yes |and |now )*(?:continue|go on|carry on|keep going|go ahead|resume|proceed)\b/i.test(
        clause
      ),
    (_, { before }) => say(sayRest(before) ?? "There is nothing that I left unfinished.")
  ],
  [asksForStory, (clause) => say(/\bshort\b/i.test(clause) ? shortStory : story)],
  [
    (clause) => sumWords.test(clause) || /[\d)]\s*[*+/^×÷=]|\d\s*x\s*\d/i.test(clause),
    (clause, situation) =>
      expressionIn(clause) === undefined
        ? undefined
        : useKind(kinds.sum, `I have no calculator, so I cannot work out ${expressionIn(clause)!}.`)(clause, situation)
  ],
  [
    (clause) =>
      /\b(?:what(?:'s| is)? (?:the )?(?:current )?(?:time|date)|time is it|(?:current|the) time|what day (?:is|of)|clock)\b/i.test(
        clause
      ),
    useKind(kinds.time, "I have no clock to look at.")
  ],
  [
    (clause) => /\b(?:weather|forecast|temperature|(?:will|is) it (?:rain|snow|going to rain)\w*)\b/i.test(clause),
    answerWeather
  ],
  [
    (clause) =>
      /\b(?:stop|end|finish|close|quit|terminate) (?:the |this |our )?(?:conversation|call|session|chat)\b|\bhang up\b|\b(?:good)?bye\b/i.test(
        clause
      ),
    useKind(kinds.stop, "Goodbye.")
  ],
  [
    (clause, { prompt }) => toolNamedIn(prompt.tools, clause, true) !== undefined,
    (clause, { prompt }) => call(toolNamedIn(prompt.tools, clause, true)!, clause)
  ],
  [
    (clause) => factAsked(clause) !== undefined,
    (clause, { before }) => {
      const about = factAsked(clause)!
      const value = recall(before, about)
      if (value === undefined)
        return say(about === "home" ? "You have not told me where you live." : `You have not told me your ${about}.`)
      return say(about === "home" ? `You live in ${value}.` : `Your ${about} is ${value}.`)
    }
  ],
  [
    (clause) => factIn(clause) !== undefined,
    (clause) => {
      const { about, value } = factIn(clause)!
      if (about === "name") return say(`Nice to meet you, ${value}.`)
      return say(
        about === "home"
          ? `I will remember that you live in ${value}.`
          : `I will remember that your ${about} is ${value}.`
      )
    }
  ],
  [
    (clause, { prompt }) => toolNamedIn(prompt.tools, clause, false) !== undefined,
    (clause, { prompt }) => call(toolNamedIn(prompt.tools, clause, false)!, clause)
  ],
  [
    (clause) =>
      /\b(?:who|what) are you\b|\bare you (?:an? )?(?:ai|bot|robot|human|real|person)\b|\bwhat can you do\b|\bhelp\b/i.test(
        clause
      ),
    () => say(`${introduction} ${abilities}`)
  ],
  [(clause) => /\bhow are you\b/i.test(clause), () => say("I am running as scripted, thank you.")],
  [(clause) => /\bthank(?:s| you)\b/i.test(clause), () => say("You are welcome.")],
  [
    (clause) => /^\W*(?:hello|hi|hey|good (?:morning|afternoon|evening|day))\b/i.test(clause),
    () => say(`Hello! ${introduction} ${abilities}`)
  ],
  [
    (clause) => /^\W*(?:stop|wait|hold on|quiet|be quiet|shut up|enough|never ?mind)\W*$/i.test(clause),
    () => say("Okay.")
  ],
  [(clause) => /^\W*(?:yes|yeah|yep|sure|no|nope|okay|ok|right|fine|good|great)\W*$/i.test(clause), () => say("Good.")],
  [
    (clause) => /^\(speech, [\d.]+ s\)$/.test(clause.trim()),
    (clause) => say(`I heard ${/[\d.]+/.exec(clause)![0]} seconds of speech, but I could not make out the words.`)
  ]
]

/** The rest of a story, or that it is over; `undefined` when there was none. */
export const sayRest = (history: ReadonlyArray<Turn>): string | undefined => {
  const rest = restOfStory(history)
  return rest === "" ? "That was the whole story." : rest
}

/** What the clause leads to, or `undefined` when the script does not know it. */
export const understand: Understand = (clause, situation) => {
  if (lastSaid(situation.before, "assistant") === whichPlace && clause.split(/\s+/).length <= 5) {
    const place = clause.replace(/^\W*(?:in|for|at|near)\s+/i, "").replace(/[.!?]+$/, "")
    const asked = answerWeather(`the weather in ${place}`, situation)
    if (asked !== undefined) return asked
  }
  for (const [fits, act] of known) {
    if (!fits(clause, situation)) continue
    const moves = act(clause, situation)
    if (moves !== undefined) return moves
  }
  return undefined
}
