/**
 * What a new connection receives as history, and what has to be requested again. A pure function.
 */
import type { Command } from "../../BidiModel.ts"
import type * as Transcript from "../../Transcript.ts"
import { type Answer, STILL_WORKING, UNKNOWN } from "../tools/answers.ts"
import { splitUnanswered } from "../history/splitUnanswered.ts"
import { trim } from "../history/trimming.ts"
import type { Owed } from "../turns/turnState.ts"

/** What the provider knew when it issued the handle that resumed the connection. */
export interface KnownByProvider {
  /** The entries. */
  readonly ids: ReadonlySet<string>
  /** The tool calls among them whose result it did not have. */
  readonly calls: ReadonlySet<string>
}

export interface Situation {
  readonly transcript: Transcript.Transcript
  /** Whether this is the first connection: the outcome of an imported call without a result is then unknown. */
  readonly first: boolean
  /** The calls of an earlier process that still wait for approval. */
  readonly waiting: ReadonlyMap<string, unknown>
  /** What the old connection owed. */
  readonly owed: Owed | undefined
  /** The turns of the user that await a reply. */
  readonly asked: ReadonlySet<string>
  /** Those of them that were sent during a reply, whose words may come after them in the transcript. */
  readonly unheeded: ReadonlySet<string>
  /** Whether the audio of some of them will be sent again. */
  readonly heardAgain: boolean
  readonly kept: KnownByProvider | undefined
  /** How much text the provider accepts as history, in bytes of UTF-8. */
  readonly limit: number | undefined
}

export interface Resumption {
  readonly history: Transcript.Transcript
  readonly resend: ReadonlyArray<Command>
  /** How many entries are omitted, and how many are shortened, because of `limit`. */
  readonly dropped: number
  readonly shortened: number
}

const CONTINUE_INSTRUCTIONS =
  "The connection was renewed while you were speaking. Go on exactly where your last message stops. Do not repeat any of it and do not greet."

/**
 * Messages of the user that nobody answered are sent again as messages, not as history; the outbox sends speech again whose
 * words are not known. The rest of an unfinished reply is requested.
 */
export const resumption = ({
  asked,
  first,
  heardAgain,
  kept,
  limit,
  owed,
  transcript,
  unheeded,
  waiting
}: Situation): Resumption => {
  const told = transcript.filter((entry) => entry._tag !== "Assistant" || entry.text !== "")
  const [answered, last] = split(told, asked, unheeded)
  // the provider has answered the messages that it knows, although nothing of that may have been heard
  const own = last.filter((user) => kept?.ids.has(user.id) !== true)
  const unanswered = own.filter((user) => !isEmpty(user))
  const unknown = answered.filter((entry) => !isEmpty(entry) && !(kept !== undefined && isKept(entry, kept)))
  const known = unknown.map(withOutput(({ id }) => (first && !waiting.has(id) ? UNKNOWN : STILL_WORKING)))
  const { dropped, shortened, kept: history } = trim(known, limit)
  const resend = unanswered.toReversed().map(again)
  const latest = answered.findLast((entry) => !isEmpty(entry) && !isRunning(entry))
  const request = requestFor(owed, unanswered.length > 0, own.length > 0 && heardAgain, latest)
  return { history, resend: request === undefined ? resend : [request, ...resend], dropped, shortened }
}

// Splits off the last turns of the user, beginning with the first that awaits a reply, and the messages that were sent during
// a reply without words.
const split = (
  told: Transcript.Transcript,
  asked: ReadonlySet<string>,
  unheeded: ReadonlySet<string>
): readonly [answered: Transcript.Transcript, unanswered: ReadonlyArray<Transcript.User>] => {
  const [before, last] = splitUnanswered(told)
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

// The request for a reply that is needed in addition to the messages (`words`) and the audio (`spoken`) that are sent again:
// those request a reply themselves.
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
  // a reply without words has no place at which to continue
  const cutOff = latest?._tag === "Assistant" && latest.responseId === owed.responseId
  return respond(cutOff ? continuing(instructions) : instructions)
}

const respond = (instructions: string | undefined): Command =>
  instructions === undefined ? { _tag: "Respond" } : { _tag: "Respond", instructions }

// The rest of a reply follows the instructions that the reply began with, however often it is interrupted.
const continuing = (instructions: string | undefined): string => {
  if (instructions === undefined) return CONTINUE_INSTRUCTIONS
  return instructions.startsWith(CONTINUE_INSTRUCTIONS)
    ? instructions
    : `${CONTINUE_INSTRUCTIONS} That message was made by these instructions: ${instructions}`
}

// A result that came since is new to the provider, although the call is not. A running call reports its result later.
const isKept = (entry: Transcript.Entry, { calls, ids }: KnownByProvider): boolean =>
  ids.has(entry.id) && (isRunning(entry) || !calls.has(entry.id))

// A turn whose words are not known.
const isEmpty = (entry: Transcript.Entry): boolean => entry._tag === "User" && entry.parts.length === 0

// A call without a result.
const isRunning = (entry: Transcript.Entry): entry is Transcript.ToolCall =>
  entry._tag === "ToolCall" && entry.output === undefined

// A model that does not know of a call would repeat it.
const withOutput =
  (outputOf: (call: Transcript.ToolCall) => Answer) =>
  (entry: Transcript.Entry): Transcript.Entry =>
    isRunning(entry) ? { ...entry, output: outputOf(entry) } : entry

const again = ({ id, parts }: Transcript.User): Command => ({ _tag: "UserMessage", id, parts })
