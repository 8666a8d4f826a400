/**
 * The words of both sides on a screen. Where there is a speaker, words of the agent appear as they are heard, so that none
 * appears that nobody heard; otherwise as they come. Nothing is printed twice.
 */
import * as Duration from "effect/Duration"
import type { TranscriptStream } from "../../BidiEvent.ts"
import type { Heard } from "../../CurrentConversation.ts"
import { Recent } from "../recent.ts"
import { harmless } from "./harmless.ts"
import type { Screen } from "./screen.ts"

/** How often words that were heard are looked for, in milliseconds. */
export const REFRESH_MILLIS = 100

// Until the next look, which may be late.
const NEXT_LOOK_MILLIS = 1.5 * REFRESH_MILLIS

// An interruption comes soon after its reply.
const MAX_REPLIES = 32

export interface Captions {
  readonly words: (event: TranscriptStream) => void
  /** A reply has begun. If a speaker plays it, its words are shown as they are heard. */
  readonly begin: (responseId: string) => void
  /** No more words of a reply will come. */
  readonly end: (responseId: string) => void
  /** A reply is interrupted. Returns whether a speaker played it. */
  readonly interrupted: (responseId: string) => boolean
  /** Shows what was heard by now. */
  readonly catchUp: () => void
  /** Whether words are known that were not heard yet. */
  readonly isBehind: () => boolean
}

export const make = (
  screen: Screen,
  names: { readonly user: string; readonly agent: string },
  heard: (responseId: string) => Heard
): Captions => {
  // text that is shown as it comes, by speaker and reply: what is on the screen, and how much of it is certain
  const shown = new Map<string, { text: string; certain: string }>()
  // replies that a speaker plays: what is on the screen
  const played = new Recent<string, string>(MAX_REPLIES)
  // those of which more may be heard
  const audible = new Set<string>()

  const leads = {
    user: screen.paint("green", `${harmless(names.user)}: `),
    assistant: screen.paint("cyan", `${harmless(names.agent)}: `)
  }
  const keyOf = (responseId: string) => `assistant ${responseId}`

  const isPlayed = (responseId: string): boolean => {
    if (!played.has(responseId) && !shown.has(keyOf(responseId)) && Duration.toMillis(heard(responseId).left) > 0) {
      played.set(responseId, "")
      audible.add(responseId)
    }
    return played.has(responseId)
  }

  const follow = (responseId: string) => {
    const key = keyOf(responseId)
    const before = played.get(responseId) ?? ""
    const now = heard(responseId)
    const left = Duration.toMillis(now.left)
    // its last words appear when it ends, not at the next look
    const text = left > 0 && left <= NEXT_LOOK_MILLIS ? now.full : now.text
    if (text.length > before.length) {
      // what was estimated may not be what was said
      const continues = text.startsWith(before)
      if (!continues) screen.finish(key)
      screen.stream(key, leads.assistant, harmless(continues ? text.slice(before.length) : text))
      played.set(responseId, text)
    }
    if (left > NEXT_LOOK_MILLIS) return
    screen.finish(key)
    audible.delete(responseId)
  }

  const show = ({ delta: given, itemId, preview, responseId, role }: TranscriptStream) => {
    const key = `${role} ${responseId ?? itemId ?? ""}`
    const delta = harmless(given)
    const so = shown.get(key) ?? { text: "", certain: "" }
    shown.set(key, so)
    if (preview === true) {
      so.text += delta
      if (delta !== "") screen.stream(key, leads[role], delta)
      return
    }
    so.certain += delta
    if (so.text.startsWith(so.certain)) return
    // what was planned may not be what was said
    const rest = so.certain.startsWith(so.text) ? so.certain.slice(so.text.length) : undefined
    if (rest === undefined) screen.finish(key)
    const text = rest ?? so.certain
    so.text = so.certain
    if (text !== "") screen.stream(key, leads[role], text)
  }

  return {
    words: (event) => {
      if (event.role === "assistant" && event.responseId !== undefined && isPlayed(event.responseId)) {
        follow(event.responseId)
      } else show(event)
    },
    begin: (responseId) => void isPlayed(responseId),
    end: (responseId) => {
      if (played.has(responseId)) return follow(responseId)
      shown.delete(keyOf(responseId))
      screen.finish(keyOf(responseId))
    },
    interrupted: (responseId) => {
      screen.finish(keyOf(responseId))
      return played.has(responseId)
    },
    catchUp: () => {
      for (const responseId of audible) follow(responseId)
    },
    isBehind: () => audible.size > 0
  }
}
