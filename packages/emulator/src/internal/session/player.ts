/**
 * Plays replies: asks the assistant, has the text spoken, and sends the frames at their pace. What a frame looks like on
 * the wire is up to the provider.
 */
import type { Prompt, Reply } from "../../Prompt.ts"
import type { Speech, Style } from "../../Speech.ts"
import { decide, AssistantFailed } from "./decide.ts"
import { isTimed } from "./frames.ts"
import type { EndFrame, EndingFault } from "./frames.ts"
import type { ActiveReply } from "./reply.ts"
import type { Setup, State, Step } from "./step.ts"

/** What a provider does with a reply. */
export interface Encoding<S, F extends { readonly _tag: string }, R extends ActiveReply<F | EndFrame>> {
  /** The replies in progress. */
  readonly active: (step: S) => ReadonlyArray<R>
  readonly update: (step: S, id: string, change: Partial<ActiveReply<F | EndFrame>>) => void
  /** What the assistant is asked; `undefined` when it is not the time to ask. */
  readonly promptOf: (step: S, reply: R) => Prompt | undefined
  /** How the text is spoken; `undefined` when it is written. */
  readonly styleOf: (step: S, reply: R) => Style | undefined
  readonly framesOf: (step: S, active: R, reply: Reply, speech: Speech | undefined) => ReadonlyArray<F | EndFrame>
  readonly play: (step: S, id: string, frame: F) => void
  /** The last frame was played, or none is left of the token limit. */
  readonly end: (step: S, id: string, fault: EndingFault | undefined) => void
  /** The assistant threw. */
  readonly fail: (step: S, id: string, message: string) => void
  readonly isOverLimit?: (step: S, reply: R) => boolean
  /** When there is something to do, while frames are sent or played. By default, when the next frame is due. */
  readonly wakeAt?: (reply: R) => number
  /** Looks at the reply before its next frame; `true` when there is nothing left to do. */
  readonly beforeFrame?: (step: S, reply: R) => boolean
}

/** Clocks have whole milliseconds, audio has not. */
export const TOLERANCE_MS = 1

const TOKEN_LIMIT: EndingFault = { _tag: "CutResponse", reason: "max_output_tokens" }

export const makePlayer = <
  S extends Step<Setup, State>,
  F extends { readonly _tag: string },
  R extends ActiveReply<F | EndFrame>
>(
  encoding: Encoding<S, F, R>
) => {
  const { active: all, play, update } = encoding
  const find = (step: S, id: string): R | undefined => all(step).find((reply) => reply.id === id)

  const wake = (step: S, id: string): void => {
    const reply = find(step, id)
    if (reply === undefined || step.state.isHeld) return
    step.wake(id, encoding.wakeAt?.(reply) ?? reply.dueAt)
  }

  const send = (step: S, active: R, reply: Reply, speech: Speech | undefined): void => {
    const frames = encoding.framesOf(step, active, reply, speech)
    update(step, active.id, { stage: "sending", frames, next: 0 })
    wake(step, active.id)
  }

  /** Asks the assistant, as soon as everything that the user said is transcribed. */
  const think = (step: S, id: string): void => {
    const waiting = find(step, id)
    const prompt = waiting?.stage === "transcribing" ? encoding.promptOf(step, waiting) : undefined
    if (waiting === undefined || prompt === undefined) return
    const reply = decide(step.setup.assistant, prompt, waiting.faults)
    if (reply instanceof AssistantFailed) return encoding.fail(step, id, reply.message)
    const style = encoding.styleOf(step, waiting)
    if (reply.text === undefined || style === undefined) return send(step, find(step, id)!, reply, undefined)
    update(step, id, { stage: "synthesizing", reply })
    step.do({ _tag: "Synthesize", key: id, text: reply.text, style })
  }

  const onSpoken = (step: S, id: string, speech: Speech): void => {
    const active = find(step, id)
    // it may have been interrupted while the voice was at work
    if (active?.stage === "synthesizing") send(step, active, active.reply!, speech)
  }

  /** Sends what is due: everything up to the next timed frame, and that one. */
  const advance = (step: S, id: string): void => {
    for (;;) {
      const before = find(step, id)
      if (before === undefined || step.state.isHeld) return
      if (before.stage !== "sending" && before.stage !== "playing") return
      if (encoding.beforeFrame?.(step, before) === true) return
      const { dueAt, frames, next, stage } = find(step, id)!
      if (stage !== "sending" || dueAt > step.now + TOLERANCE_MS) return wake(step, id)
      const frame = frames[next]!
      if (isEnd(frame)) return encoding.end(step, id, frame.fault)
      if (isTimed(frame) && encoding.isOverLimit?.(step, before) === true) return encoding.end(step, id, TOKEN_LIMIT)
      update(step, id, { next: next + 1, ...(isTimed(frame) ? { dueAt: dueAt + frame.ms / step.setup.speed } : {}) })
      play(step, id, frame)
      if (isTimed(frame)) return wake(step, id)
    }
  }

  /** Something that the user said was transcribed: replies may have waited for it. */
  const onTranscribed = (step: S): void => {
    for (const { id } of all(step)) think(step, id)
  }

  /** Continues the replies that were held. */
  const release = (step: S): void => {
    for (const { id, stage } of all(step)) if (stage === "sending" || stage === "playing") wake(step, id)
  }

  return { think, onSpoken, onTranscribed, advance, release, wake }
}

const isEnd = <F extends { readonly _tag: string }>(frame: F | EndFrame): frame is EndFrame => frame._tag === "End"
