/**
 * What a new connection is told of the talk so far, and what has to be asked again. A function from values to values.
 */
import type { Command } from "../../BidiModel.ts"
import * as Transcript from "../../Transcript.ts"
import { type Answer, STILL_WORKING, UNKNOWN } from "../tools/answers.ts"
import { trim } from "../history/trimming.ts"
import type { Owed } from "../turns/turnState.ts"

/** What a provider knew when it gave the handle by which a connection was resumed. */
export interface KnownByProvider {
  /** The entries. */
  readonly ids: ReadonlySet<string>
  /** The calls among them whose result it had not been told. */
  readonly calls: ReadonlySet<string>
}

export interface Situation {
  readonly transcript: Transcript.Transcript
  /** The first connection of a conversation: all of an earlier session is history. */
  readonly first: boolean
  /** What the old connection had not finished. */
  readonly owed: Owed | undefined
  /** The turns of the user that want a reply. */
  readonly asked: ReadonlySet<string>
  /** Those of them that were sent into a reply, whose words may stand behind them. */
  readonly unheeded: ReadonlySet<string>
  /** Whether the sound of some of them will be sent again. */
  readonly heardAgain: boolean
  readonly kept: KnownByProvider | undefined
  /** How much text the provider takes as history, in bytes of UTF-8. */
  readonly limit: number | undefined
}

export interface Resumption {
  readonly history: Transcript.Transcript
  readonly resend: ReadonlyArray<Command>
  /** How many entries are left out, and how many are told in part, because the provider does not take so much. */
  readonly dropped: number
  readonly shortened: number
}

const CONTINUE_INSTRUCTIONS =
  "The connection was renewed while you were speaking. Go on exactly where your last message stops. Do not repeat any of it and do not greet."

/**
 * What the user said last and nobody answered is asked again, not told as history; speech whose words are not known is
 * sent again as sound by the outbox. A reply that was being spoken is gone on with.
 */
export const resumption = ({
  asked,
  first,
  heardAgain,
  kept,
  limit,
  owed,
  transcript,
  unheeded
}: Situation): Resumption => {
  const told = transcript.filter((entry) => entry._tag !== "Assistant" || entry.text !== "")
  const [answered, last] = first ? [told, []] : split(told, asked, unheeded)
  // the provider has answered what it kept, though nothing of that may have been heard
  const own = last.filter((user) => kept?.ids.has(user.id) !== true)
  const unanswered = own.filter((user) => !isEmpty(user))
  const unknown = answered.filter((entry) => !isEmpty(entry) && !(kept !== undefined && isKept(entry, kept)))
  const known = unknown.map(withOutput(first ? UNKNOWN : STILL_WORKING))
  const { dropped, shortened, told: history } = trim(known, limit)
  const resend = unanswered.toReversed().map(again)
  const latest = answered.findLast((entry) => !isEmpty(entry) && !isRunning(entry))
  const request = requestFor(owed, unanswered.length > 0, own.length > 0 && heardAgain, latest)
  return { history, resend: request === undefined ? resend : [request, ...resend], dropped, shortened }
}

// Splits off what the user said last, from the first turn on that wants a reply, and what was sent into a reply that had
// no words yet.
const split = (
  told: Transcript.Transcript,
  asked: ReadonlySet<string>,
  unheeded: ReadonlySet<string>
): readonly [answered: Transcript.Transcript, unanswered: ReadonlyArray<Transcript.User>] => {
  const [before, last] = Transcript.splitUnanswered(told)
  const first = last.findIndex(({ id }) => asked.has(id))
  const from = first === -1 ? last.length : first
  const isUnheeded = (entry: Transcript.Entry) => entry._tag === "User" && unheeded.has(entry.id)
  const into = before.filter(isUnheeded) as ReadonlyArray<Transcript.User>
  const answered = into.length === 0 ? before : before.filter((entry) => !isUnheeded(entry))
  return [
    [...answered, ...last.slice(0, from)],
    [...into, ...last.slice(from)]
  ]
}

// What is asked for besides what the user said last, in `words` or `spoken` so that it will be heard again: with that the
// model is asked for a reply anyway. Of speech that had a reply already, or whose words came, there is no sound any more.
const requestFor = (
  owed: Owed | undefined,
  words: boolean,
  spoken: boolean,
  latest: Transcript.Entry | undefined
): Command | undefined => {
  if (owed === undefined) return undefined
  const { instructions } = owed
  if (owed.what === "reply") return (words || spoken) && instructions === undefined ? undefined : respond(instructions)
  if (words) return undefined
  // one that had no words yet is no message that stops anywhere
  const cutOff = latest?._tag === "Assistant" && latest.responseId === owed.responseId
  return respond(cutOff ? continuing(instructions) : instructions)
}

const respond = (instructions: string | undefined): Command =>
  instructions === undefined ? { _tag: "Respond" } : { _tag: "Respond", instructions }

// A reply that was begun by instructions is gone on with by the same, however often that has to be.
const continuing = (instructions: string | undefined): string => {
  if (instructions === undefined) return CONTINUE_INSTRUCTIONS
  return instructions.startsWith(CONTINUE_INSTRUCTIONS)
    ? instructions
    : `${CONTINUE_INSTRUCTIONS} That message was made by these instructions: ${instructions}`
}

// A result that came since is news, though the call is none. One that is still to come will be told when it does.
const isKept = (entry: Transcript.Entry, { calls, ids }: KnownByProvider): boolean =>
  ids.has(entry.id) && (isRunning(entry) || !calls.has(entry.id))

// A turn without words.
const isEmpty = (entry: Transcript.Entry): boolean => entry._tag === "User" && entry.parts.length === 0

// A call without an output. In the log of an earlier session it is one of which nobody knows what came of it.
const isRunning = (entry: Transcript.Entry): entry is Transcript.ToolCall =>
  entry._tag === "ToolCall" && entry.output === undefined

// A model that does not know of a call makes it again.
const withOutput =
  (output: Answer) =>
  (entry: Transcript.Entry): Transcript.Entry =>
    isRunning(entry) ? { ...entry, output } : entry

const again = ({ id, parts }: Transcript.User): Command => ({ _tag: "UserMessage", id, parts })
