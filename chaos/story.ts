/**
 * What happened in a conversation, for people: its plan, what the agent told, and the emulator's log.
 */
import type { Outcome } from "./play.ts"

const LINE = 400 // characters

export const tell = ({ changes, events, history, hits, log, mind, plan, ran, sent, spoken }: Outcome): string => {
  const start = log[0]?.at ?? 0
  return [
    `plan ${JSON.stringify(plan)}`,
    `faults ${hits.join(", ")}`,
    `typed ${sent.join(" | ")}`,
    `spoken ${spoken.join(", ")}`,
    `changes ${changes.map(({ error, version }) => `${version} ${error === undefined ? "holds" : String(error)}`).join(", ")}`,
    `results ${ran.join(", ")}`,
    `asked to answer ${mind.answered.join(", ")}`,
    `said ${mind.said.join(" | ")}`,
    "--- what the agent told",
    ...events.flatMap((event) => (event._tag === "AudioStream" ? [] : [short(event)])),
    "--- the history",
    ...history.content.map(short),
    "--- the emulator's log",
    ...log.flatMap((entry) => {
      if ("audioBytes" in entry && entry.audioBytes > 0) return []
      const { at, connection, kind, ...rest } = entry
      return [`${at - start} ms, connection ${connection}, ${kind}: ${short("event" in rest ? rest.event : rest)}`]
    })
  ].join("\n")
}

const short = (value: unknown): string => JSON.stringify(value).slice(0, LINE)
