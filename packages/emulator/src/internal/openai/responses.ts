/**
 * Responses: created, thought out, spoken at their pace, and ended one way or another, once each.
 */
import type { Reply } from "../../Prompt.ts"
import type { Input } from "../emulator/machine.ts"
import { think as decide, Thoughtless } from "../emulator/think.ts"
import { beatsOf, isPiece } from "./beats.ts"
import type { End } from "./beats.ts"
import { Refused } from "./check.ts"
import { close, openOutput, play, playLate, responseObject } from "./output.ts"
import { inputOf, promptOf, tokensRead } from "./prompt.ts"
import type { ClientEvent, ResponseParams } from "./protocol.ts"
import { mannerOf } from "./settings.ts"
import type { Active } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

/** Tokens a minute that an account like this would have. */
const rateLimit = 15_000_000

const wakeKey = (responseId: string): string => `response:${responseId}`

/** The response whose beats a wake-up is for. */
export const responseOf = (key: string): string | undefined =>
  key.startsWith("response:") ? key.slice("response:".length) : undefined

/** Starts a response. `cause` says who wants it: an idle prompt does not lead to the next one. */
export const createResponse = (step: Step, params: ResponseParams, cause: "client" | "idle" = "client"): void => {
  const isDefault = params.conversation !== "none"
  const { speaking } = step
  if (isDefault && speaking !== undefined) {
    return step.refuse(
      "conversation_already_has_active_response",
      `Conversation already has an active response in progress: ${speaking.id}. Wait until the response is finished before creating a new one.`
    )
  }
  const input = inputOf(step, params)
  if (input instanceof Refused) return step.refuseFor(input.problem)
  const active: Active = {
    id: step.id("resp"),
    style: mannerOf(step.state.settings, params),
    params,
    input,
    isDefault,
    createdAt: step.now,
    stage: "listening",
    reply: undefined,
    isIdlePrompt: cause === "idle",
    beats: [],
    at: 0,
    dueAt: step.now + step.setup.latencyMs,
    outputs: [],
    read: Usage.none,
    used: Usage.none,
    faults: step.state.armed
  }
  step.set({ active: [...step.state.active, active], armed: [] })
  step.do({ _tag: "Forget", key: "idle" })
  step.send({ type: "response.created", response: responseObject(step, active, undefined, null) })
  think(step, active.id)
}

/** Makes up its mind, as soon as all that was said is understood. */
const think = (step: Step, id: string): void => {
  const active = step.active(id)
  if (active?.stage !== "listening") return
  const prompt = promptOf(step, active)
  if (prompt === undefined) return
  step.changeActive(id, { read: tokensRead(step, active) })
  const reply = decide(step.setup.assistant, prompt, active.faults)
  if (reply instanceof Thoughtless) {
    const { message } = reply
    return finish(step, id, { status: "failed", error: { type: "server_error", code: "server_error", message } })
  }
  if (reply.text === undefined || active.style.modality === "text") return run(step, id, reply, undefined)
  const { speed, voice } = active.style
  const name = typeof voice === "string" ? voice : voice.id
  step.changeActive(id, { stage: "speaking", reply })
  step.do({ _tag: "Speak", key: id, text: reply.text, style: { speed, voice: name } })
}

/** Some speech was understood: responses may have waited for it. */
export const thinkAgain = (step: Step): void => {
  for (const { id } of step.state.active) think(step, id)
}

export const onSpoken = (step: Step, { key, speech }: Extract<Input, { _tag: "Spoken" }>): void => {
  const active = step.active(key)
  // it may have been cancelled while the voice was at work
  if (active?.stage === "speaking" && active.reply !== undefined) run(step, key, active.reply, speech)
}

const run = (
  step: Step,
  id: string,
  reply: Reply,
  speech: Extract<Input, { _tag: "Spoken" }>["speech"] | undefined
): void => {
  const { faults, style } = step.active(id)!
  const beats = beatsOf({ reply, speech, format: style.format, deltaMs: step.setup.deltaMs, faults })
  step.changeActive(id, { stage: "running", beats })
  wake(step, id)
}

const wake = (step: Step, id: string): void => {
  const active = step.active(id)
  if (active === undefined || step.state.isHeld) return
  step.do({ _tag: "Wake", key: wakeKey(id), afterMs: Math.max(0, active.dueAt - step.now) })
}

/** Goes on with every response that was held. */
export const release = (step: Step): void => {
  step.set({ isHeld: false })
  for (const { id, stage } of step.state.active) if (stage === "running") wake(step, id)
}

const isSpent = ({ style, used }: Active): boolean => style.maxTokens !== "inf" && Usage.sum(used) >= style.maxTokens

/** Sends what is due: everything up to the next delta, and that one. */
export const advance = (step: Step, id: string): void => {
  for (;;) {
    const active = step.active(id)
    if (active?.stage !== "running" || step.state.isHeld) return
    const beat = active.beats[active.at]
    if (beat === undefined) return
    if (beat._tag === "Finish") return finish(step, id, beat.end)
    if (isPiece(beat) && isSpent(active)) {
      return finish(step, id, { status: "incomplete", reason: "max_output_tokens" })
    }
    step.changeActive(id, { at: active.at + 1 })
    play(step, id, beat)
    if (!isPiece(beat)) continue
    step.changeActive(id, { dueAt: active.dueAt + beat.ms / step.setup.speed })
    return wake(step, id)
  }
}

/** The one way in which a response ends. */
const finish = (step: Step, id: string, end: End): void => {
  if (openOutput(step.active(id)!) !== undefined) close(step, id, "incomplete")
  const active = step.active(id)!
  const usage = Usage.usageOf(active.read, active.used, active.isDefault ? step.state.cached : 0)
  step.set({ active: step.state.active.filter((other) => other.id !== id) })
  if (active.isDefault) step.set({ cached: Usage.sum(active.read) })
  step.do({ _tag: "Forget", key: wakeKey(id) })
  step.send({ type: "response.done", response: responseObject(step, active, end, usage) })
  const spent = Usage.sum(active.read) + Usage.sum(active.used)
  step.send({
    type: "rate_limits.updated",
    rate_limits: [
      { name: "tokens", limit: rateLimit, remaining: rateLimit - spent, reset_seconds: (spent * 60) / rateLimit }
    ]
  })
  if (end.status === "cancelled") {
    for (const fault of active.faults) if (fault._tag === "LateAudio") playLate(step, active, fault.chunks)
  }
  if (active.isDefault && !active.isIdlePrompt) waitForIdle(step, active)
}

/** The user has until the reply has been played, and the session's patience after that. */
const waitForIdle = (step: Step, active: Active): void => {
  const detection = step.state.settings.audio.input.turn_detection
  if (detection?.type !== "server_vad" || detection.idle_timeout_ms === null) return
  const saidMs = active.outputs.reduce((ms, output) => ms + output.ms, 0)
  const leftMs = Math.max(0, active.createdAt + saidMs - step.now)
  step.do({ _tag: "Wake", key: "idle", afterMs: leftMs + detection.idle_timeout_ms })
}

/** Stops a response where it is. */
export const cancel = (step: Step, id: string, reason: "turn_detected" | "client_cancelled"): void =>
  finish(step, id, { status: "cancelled", reason })

export const onCancel = (step: Step, { response_id: id }: Extract<ClientEvent, { type: "response.cancel" }>): void => {
  const active = id === undefined ? step.speaking : step.active(id)
  if (active === undefined) {
    return step.refuse("response_cancel_not_active", "Cancellation failed: no active response found")
  }
  cancel(step, active.id, "client_cancelled")
}
