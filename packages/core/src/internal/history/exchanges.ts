/**
 * Where an exchange begins: with what the user says, in one message or several.
 */
import type { Transcript } from "../../Transcript.ts"

/** Whether an exchange begins at this entry, which is not the first. */
export const beginsExchange = (history: Transcript, index: number): boolean =>
  history[index]!._tag === "User" && history[index - 1]!._tag !== "User"
