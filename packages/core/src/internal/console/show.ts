/**
 * Events in words for a person at a terminal.
 */
import * as Duration from "effect/Duration"
import type { Output } from "../../BidiEvent.ts"
import { harmless } from "./harmless.ts"
import type { Screen } from "./screen.ts"

const ENDINGS = {
  client_disconnect: "stopped",
  timeout: "the connection timed out",
  error: "something failed",
  complete: "everything was said",
  user_request: "you asked to stop",
  interrupted: "stopped"
}

const RESTARTS = {
  scheduled: "renewing the connection before its limit",
  timeout: "the connection reached its limit, reconnecting",
  lost: "the connection was lost, reconnecting",
  fault: "the provider has a problem, reconnecting",
  rate_limited: "the provider asks to slow down, reconnecting"
}

/** Answers what shows an event. It remembers what it has shown, so that nothing is printed twice. */
export const show = (screen: Screen, names: { readonly user: string; readonly agent: string }) => {
  // by speaker and reply: what is on the screen, and how much of it is certain
  const shown = new Map<string, { text: string; certain: string }>()

  const note = (mark: string, text: string) => screen.line(screen.paint("dim", `  ${mark} ${harmless(text)}`))

  const words = (event: Extract<Output, { _tag: "TranscriptStream" }>) => {
    const key = `${event.role} ${event.responseId ?? event.itemId ?? ""}`
    const lead = screen.paint(
      event.role === "user" ? "green" : "cyan",
      `${harmless(names[event.role === "user" ? "user" : "agent"])}: `
    )
    const delta = harmless(event.delta)
    const so = shown.get(key) ?? { text: "", certain: "" }
    shown.set(key, so)
    if (event.preview === true) {
      so.text += delta
      if (delta !== "") screen.stream(key, lead, delta)
      return
    }
    so.certain += delta
    if (!so.text.startsWith(so.certain)) {
      // what was planned is not what was said
      const rest = so.certain.startsWith(so.text) ? so.certain.slice(so.text.length) : undefined
      if (rest === undefined) screen.finish(key)
      const text = rest ?? so.certain
      so.text = so.certain
      if (text !== "") screen.stream(key, lead, text)
    }
  }

  return (event: Output): void => {
    switch (event._tag) {
      case "TranscriptStream":
        return words(event)
      case "ResponseComplete": {
        shown.delete(`assistant ${event.responseId}`)
        return screen.finish(`assistant ${event.responseId}`)
      }
      case "Interruption": {
        screen.finish(`assistant ${event.responseId}`)
        const heard = Duration.toSeconds(event.heard)
        return note("✂", heard === 0 ? "interrupted" : `interrupted after ${heard.toFixed(1)} s of speech`)
      }
      case "ToolUse":
        return note("→", `${event.name} ${JSON.stringify(event.input)}`)
      case "ToolProgress":
        return note("…", `${event.name} ${text(event.value)}`)
      case "ToolResult": {
        const mark = event.isFailure ? screen.paint("red", "✗") : screen.paint("green", "✓")
        return note(mark, `${event.name} ${text(event.result)}`)
      }
      case "ApprovalRequest":
        return note("?", `${event.name} ${JSON.stringify(event.input)} needs approval`)
      case "ApprovalResolved":
        return event.approved ? undefined : note("✗", `${event.name} was not approved: ${event.reason}`)
      case "Handoff":
        return note("⇄", `${event.to} takes over`)
      case "ConnectionRestart":
        return note(
          "↻",
          event.attempt === 1 ? RESTARTS[event.reason] : `${RESTARTS[event.reason]} (try ${event.attempt})`
        )
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
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))
