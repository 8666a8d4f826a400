/**
 * Events as lines for a person at a terminal.
 */
import * as Duration from "effect/Duration"
import type { CloseReason, ConnectionRestart, Output } from "../../BidiEvent.ts"
import type { Captions } from "./captions.ts"
import { harmless } from "./harmless.ts"
import type { Screen } from "./screen.ts"

const ENDINGS: Record<CloseReason, string> = {
  client_disconnect: "stopped",
  timeout: "the connection timed out",
  error: "something failed",
  complete: "everything was said",
  user_request: "you asked to stop",
  superseded: "the conversation goes on elsewhere",
  interrupted: "stopped"
}

const RESTARTS: Record<ConnectionRestart["reason"], string> = {
  scheduled: "renewing the connection before its limit",
  timeout: "the connection reached its limit, reconnecting",
  lost: "the connection was lost, reconnecting",
  fault: "the provider has a problem, reconnecting",
  rate_limited: "the provider asks to slow down, reconnecting"
}

/** Shows events, their words as captions. */
export const make = (screen: Screen, captions: Captions): ((event: Output) => void) => {
  const note = (mark: string, text: string) => screen.line(screen.paint("dim", `  ${mark} ${harmless(text)}`))

  const show = (event: Output): void => {
    switch (event._tag) {
      case "ResponseStart":
        return captions.begin(event.responseId)
      case "TranscriptStream":
        return captions.words(event)
      case "ResponseComplete":
        return captions.end(event.responseId)
      case "Interruption": {
        // without a speaker, nobody heard these seconds
        const wasPlayed = captions.interrupted(event.responseId)
        const seconds = Duration.toSeconds(event.heard)
        return note(
          "✂",
          wasPlayed && seconds > 0 ? `interrupted after ${seconds.toFixed(1)} s of speech` : "interrupted"
        )
      }
      case "ToolUse":
        return note("→", `${event.name} ${JSON.stringify(event.input)}`)
      case "ToolProgress":
        return note("…", `${event.name} ${textOf(event.value)}`)
      case "ToolResult": {
        const mark = event.isFailure ? screen.paint("red", "✗") : screen.paint("green", "✓")
        return note(mark, `${event.name} ${textOf(event.result)}`)
      }
      case "ApprovalRequest":
        return note("?", `${event.name} ${JSON.stringify(event.input)} needs approval`)
      case "ApprovalResolved":
        return event.approved ? undefined : note("✗", `${event.name} was not approved: ${event.reason}`)
      case "Handoff":
        return note("⇄", `${event.to} takes over`)
      case "ConnectionRestart": {
        const attempt = event.attempt === 1 ? "" : ` (try ${event.attempt})`
        return note("↻", `${RESTARTS[event.reason]}${attempt}`)
      }
      case "ConnectionStart":
        return event.generation === 1 ? undefined : note("↻", "connected again")
      case "Error":
        return screen.line(screen.paint("red", `  ! ${harmless(event.message)}`))
      case "ConnectionClose":
        return note("■", `the conversation has ended: ${ENDINGS[event.reason]}`)
      default:
        return
    }
  }

  return (event) => {
    // what was heard was heard before this
    captions.catchUp()
    show(event)
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))
