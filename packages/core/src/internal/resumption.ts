/**
 * What a new connection is told of the talk so far, and what has to be asked again. A function from values to values.
 */
import type { Command } from "../BidiModel.ts"
import * as Transcript from "../Transcript.ts"

export interface Resumption {
  readonly history: Transcript.Transcript
  readonly resend: ReadonlyArray<Command>
}

const CONTINUE =
  "The connection was renewed while you were speaking. Go on exactly where your last message stops. Do not repeat any of it and do not greet."

/**
 * `owed`: the old connection had not finished a reply. What the user said last and nobody answered is asked again, not
 * told as history; speech whose words are not known is sent again as sound by the outbox. At the first connection of a
 * conversation all of an earlier session is history.
 */
export const resumption = (transcript: Transcript.Transcript, first: boolean, owed: boolean): Resumption => {
  const told = transcript.filter((entry) => entry._tag !== "Assistant" || entry.text !== "")
  const [answered, unanswered] = first ? [told, []] : Transcript.splitUnanswered(told)
  const history = answered.filter(
    (entry) => !(entry._tag === "User" && entry.parts.length === 0) && !(entry._tag === "ToolCall" && !entry.output)
  )
  if (unanswered.length > 0) {
    return {
      history,
      resend: unanswered
        .filter((user) => user.parts.length > 0)
        .toReversed()
        .map(again)
    }
  }
  if (!owed) return { history, resend: [] }
  const cutOff = history.at(-1)?._tag === "Assistant"
  return { history, resend: [cutOff ? { _tag: "Respond", instructions: CONTINUE } : { _tag: "Respond" }] }
}

const again = ({ id, parts }: Transcript.User): Command => ({ _tag: "UserMessage", id, parts })
