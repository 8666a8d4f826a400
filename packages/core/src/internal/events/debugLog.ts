/**
 * Messages at the level `Debug`, which are made only when that level is on.
 */
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import type { Output, OutputTag } from "../../BidiEvent.ts"
import { allTags } from "./tags.ts"
import type { Fanout } from "./fanout.ts"

const isOn = LogLevel.isEnabled("Debug")

export const debug = (message: () => string): Effect.Effect<void> =>
  Effect.flatMap(isOn, (on) => (on ? Effect.logDebug(message()) : Effect.void))

/** Logs every event but frames of audio. When the level is off, it does not subscribe. */
export const logEvents = Effect.fnUntraced(function* (fanout: Fanout) {
  if (!(yield* isOn)) return
  const run = Effect.runSyncWith(yield* Effect.context<never>())
  fanout.subscribe(logged, (event) => run(Effect.logDebug(describe(event))))
})

const unlogged: ReadonlyArray<OutputTag> = ["AudioStream", "UserAudio", "Playback", "MessageAdded"]
const logged = allTags.filter((tag) => !unlogged.includes(tag))

// Tools log their arguments and results themselves: they know what is confidential.
const describe = (event: Output): string => {
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
