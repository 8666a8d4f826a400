/**
 * Events in words for a person at a terminal.
 */
import * as Duration from "effect/Duration"
import type { Output } from "../../BidiEvent.ts"
import type { Heard } from "../../CurrentConversation.ts"
import { harmless } from "./harmless.ts"
import type { Screen } from "./screen.ts"

const ENDINGS = {
  client_disconnect: "stopped",
  timeout: "the connection timed out",
  error: "something failed",
  complete: "everything was said",
  user_request: "you asked to stop",
  superseded: "the conversation goes on elsewhere",
  interrupted: "stopped"
}

const RESTARTS = {
  scheduled: "renewing the connection before its limit",
  timeout: "the connection reached its limit, reconnecting",
  lost: "the connection was lost, reconnecting",
  fault: "the provider has a problem, reconnecting",
  rate_limited: "the provider asks to slow down, reconnecting"
}

/** How often it is looked what was heard meanwhile, in milliseconds. */
export const PACE = 100

// With the time that a look may be late.
const NEXT_LOOK = 1.5 * PACE

// An interruption comes soon after its reply.
const REMEMBERED = 32

export interface Show {
  readonly event: (event: Output) => void
  /** Shows what was heard by now. */
  readonly catchUp: () => void
  /** Whether words are known that were not heard yet. */
  readonly isBehind: () => boolean
}

/**
 * Shows events. Words of the agent appear as they are heard, where there is a speaker, so that nothing stands there that
 * nobody heard; else as they come. It remembers what it has shown, so that nothing is printed twice.
 */
export const show = (
  screen: Screen,
  names: { readonly user: string; readonly agent: string },
  heard: (responseId: string) => Heard
): Show => {
  // by speaker and reply: what is on the screen, and how much of it is certain
  const shown = new Map<string, { text: string; certain: string }>()
  // replies that a speaker plays, the last ones: what is on the screen
  const spoken = new Map<string, string>()
  // those of them of which more may be heard
  const audible = new Set<string>()

  const note = (mark: string, text: string) => screen.line(screen.paint("dim", `  ${mark} ${harmless(text)}`))

  const agent = screen.paint("cyan", `${harmless(names.agent)}: `)

  /** A reply that a speaker plays is told from then on by what was heard of it. */
  const isSpoken = (responseId: string): boolean => {
    if (
      !spoken.has(responseId) &&
      !shown.has(`assistant ${responseId}`) &&
      Duration.toMillis(heard(responseId).left) > 0
    ) {
      spoken.set(responseId, "")
      audible.add(responseId)
      if (spoken.size > REMEMBERED) spoken.delete(spoken.keys().next().value!)
    }
    return spoken.has(responseId)
  }

  const follow = (responseId: string) => {
    const key = `assistant ${responseId}`
    const before = spoken.get(responseId) ?? ""
    const now = heard(responseId)
    const left = Duration.toMillis(now.left)
    // its last words are there when it ends, not when somebody looks again
    const text = left > 0 && left <= NEXT_LOOK ? now.full : now.text
    if (text.length > before.length) {
      // what was estimated is not what was said
      const goesOn = text.startsWith(before)
      if (!goesOn) screen.finish(key)
      screen.stream(key, agent, harmless(goesOn ? text.slice(before.length) : text))
      spoken.set(responseId, text)
    }
    if (left > NEXT_LOOK) return
    screen.finish(key)
    audible.delete(responseId)
  }

  const words = (event: Extract<Output, { _tag: "TranscriptStream" }>) => {
    if (event.role === "assistant" && event.responseId !== undefined && isSpoken(event.responseId)) {
      return follow(event.responseId)
    }
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

  const catchUp = () => {
    for (const responseId of audible) follow(responseId)
  }

  const tell = (event: Output): void => {
    // what was heard was heard before this
    catchUp()
    switch (event._tag) {
      case "ResponseStart":
        return void isSpoken(event.responseId)
      case "TranscriptStream":
        return words(event)
      case "ResponseComplete": {
        if (spoken.has(event.responseId)) return follow(event.responseId)
        shown.delete(`assistant ${event.responseId}`)
        return screen.finish(`assistant ${event.responseId}`)
      }
      case "Interruption": {
        // where nobody plays it, so many seconds of speech were heard by nobody
        const wasSpoken = spoken.has(event.responseId)
        screen.finish(`assistant ${event.responseId}`)
        const seconds = Duration.toSeconds(event.heard)
        return note(
          "✂",
          wasSpoken && seconds > 0 ? `interrupted after ${seconds.toFixed(1)} s of speech` : "interrupted"
        )
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

  return { event: tell, catchUp, isBehind: () => audible.size > 0 }
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))
