/**
 * What is worth saying only where somebody reads it: the words are made only when the level `Debug` is on.
 */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import type { Output } from "../../BidiEvent.ts"
import { allTags } from "./tags.ts"
import type { Fanout } from "./fanout.ts"

const isOn = LogLevel.isEnabled("Debug")

export const debug = (words: () => string): Effect.Effect<void> =>
  Effect.flatMap(isOn, (on) => (on ? Effect.logDebug(words()) : Effect.void))

/** Says every event but frames of sound. When the level is off, nobody is asked for anything. */
export const logEvents = Effect.fnUntraced(function* (fanout: Fanout) {
  if (!(yield* isOn)) return
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  fanout.subscribe(silent, (event) => run(Effect.logDebug(inWords(event))))
})

const silent = allTags.filter((tag) => tag !== "AudioStream")

// What a tool was given and gave is said by the tools, which know what must not be.
const inWords = (event: Output): string => {
  switch (event._tag) {
    case "ToolUse":
    case "ToolProgress":
    case "ToolResult":
    case "ApprovalRequest":
      return `event ${event._tag}: ${event.name} (${event.id})`
    case "Error":
      return `event Error: ${event.message}`
    default: {
      const { _tag, ...fields } = event
      return `event ${_tag}: ${JSON.stringify(fields)}`
    }
  }
}
