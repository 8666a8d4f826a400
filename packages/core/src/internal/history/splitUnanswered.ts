import type { Transcript, User } from "../../Transcript.ts"

/** Splits off what the user said last and the agent has not answered. */
export const splitUnanswered = (
  transcript: Transcript
): readonly [answered: Transcript, unanswered: ReadonlyArray<User>] => {
  const last = transcript.findLastIndex((entry) => entry._tag !== "User")
  return [transcript.slice(0, last + 1), transcript.slice(last + 1) as ReadonlyArray<User>]
}
