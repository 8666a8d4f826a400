/**
 * What a process that died left open in a log, and what whoever opens the session next makes of it. Functions from values
 * to values.
 */
import type { Restored } from "../../SessionLog.ts"
import type { Assistant, Entry, ToolCall, Transcript } from "../../Transcript.ts"
import { failed, UNKNOWN } from "../tools/answers.ts"

/**
 * The entries that close what is open: a reply is cut where it was last known to be heard, and of a call without an output
 * it is not known whether it took effect. A call that waits for consent goes on waiting.
 */
export const settle = ({ approvals, audible, transcript }: Restored): Transcript =>
  transcript.flatMap((entry) =>
    audible.has(entry.id) && entry._tag === "Assistant" ? cut(entry) : (ended(entry, approvals) ?? [])
  )

const cut = (reply: Assistant): Assistant => ({ ...reply, interrupted: true, full: reply.full ?? reply.text })

const ended = (entry: Entry, approvals: Restored["approvals"]): ToolCall | undefined => {
  if (entry._tag !== "ToolCall" || entry.output !== undefined) return undefined
  const consent = approvals.get(entry.id)
  if (consent?.decision === "asked") return undefined
  if (consent?.decision !== "rejected") return { ...entry, output: UNKNOWN }
  return { ...entry, output: failed(`This was not approved: ${consent.reason ?? "it was rejected"}.`) }
}

/** What the agent still owes the user. */
export interface LeftBehind {
  /** What the user said last and got no reply to. */
  readonly asked: ReadonlyArray<string>
  /** The reply that was cut off by the end of the process. */
  readonly cut: string | undefined
  /** A reply to the results of tools. */
  readonly results: boolean
}

/** `before` is the log as the process left it: settled, a reply that was cut looks as if the user had cut it. */
export const leftBehind = (before: Restored): LeftBehind => {
  const said = before.transcript.filter((entry) => !isSilent(entry))
  const last = said.at(-1)
  const asked = trailing(said)
  if (asked.length > 0) return { asked, cut: undefined, results: false }
  if (last?._tag === "Assistant" && before.audible.has(last.id)) {
    return { asked: [], cut: last.responseId, results: false }
  }
  const waits = last?._tag === "ToolCall" && before.approvals.get(last.id)?.decision === "asked"
  // who has left in good order does not wait for what a tool came to
  const results = last?._tag === "ToolCall" && !waits && before.closed === undefined
  return { asked: [], cut: undefined, results }
}

const trailing = (said: Transcript): ReadonlyArray<string> =>
  said.slice(said.findLastIndex((entry) => entry._tag !== "User") + 1).map(({ id }) => id)

/** Nobody heard anything of it, or it is not known what was said. */
export const isSilent = (entry: Entry): boolean =>
  (entry._tag === "Assistant" && entry.text === "") || (entry._tag === "User" && entry.parts.length === 0)
