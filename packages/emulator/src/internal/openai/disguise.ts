/**
 * Server events as servers with quirks send them.
 */
import type { Quirk } from "../../Fault.ts"
import type { ServerEvent } from "./state.ts"

/** An event as such a server sends it. */
export const disguise = (quirks: ReadonlyArray<Quirk>, event: ServerEvent): ServerEvent =>
  quirks.reduce<ServerEvent>((event, one) => {
    switch (one._tag) {
      case "SameEventId":
        return { ...event, event_id: "event_TODO" }
      case "BetaNames":
        return {
          ...event,
          type: event.type.replace(/^response\.output_(audio|audio_transcript|text)\./, "response.$1.")
        }
      case "ErrorsWithoutEventId": {
        if (event.type !== "error") return event
        const { event_id: _, ...error } = event.error as Record<string, unknown>
        return { ...event, error }
      }
      case "IgnoreEvent":
      case "RefuseEvent":
      case "FailTranscription":
      case "SameCallId":
        return event
    }
  }, event)
