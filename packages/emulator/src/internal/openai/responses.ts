/**
 * Responses: created, decided, sent at their pace, and ended exactly once.
 */
import { faultOf } from "../session/frames.ts"
import { newReply } from "../session/reply.ts"
import type { EndingFault } from "../session/frames.ts"
import { makePlayer } from "../session/player.ts"
import { Refused } from "./check.ts"
import { framesOf } from "./frames.ts"
import type { Frame } from "./frames.ts"
import { close, openOutput, play, playLate, responseObject } from "./output.ts"
import type { Outcome } from "./output.ts"
import { inputOf, promptOf, tokensRead } from "./prompt.ts"
import type { ClientEvent, ResponseParams } from "./protocol.ts"
import { responseSettings } from "./settings.ts"
import type { Active } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

/** Tokens a minute of a typical account. */
const TOKENS_PER_MINUTE = 15_000_000

/** Starts a response. `cause` says who asked for it: an idle prompt is not followed by another one. */
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
    ...newReply(step.id("resp"), step.now + step.setup.latencyMs, step.state.armed),
    settings: responseSettings(step.state.settings, params),
    params,
    input,
    isDefault,
    createdAt: step.now,
    isIdlePrompt: cause === "idle",
    outputs: [],
    read: Usage.none,
    used: Usage.none
  }
  step.set({ active: [...step.state.active, active], armed: [] })
  step.do({ _tag: "Forget", key: "idle" })
  step.send({ type: "response.created", response: responseObject(step, active, undefined, null) })
  player.think(step, active.id)
}

const serverError = { type: "server_error", code: "server_error" }

const outcomeOf = (fault: EndingFault | undefined): Outcome => {
  switch (fault?._tag) {
    case undefined:
      return { status: "completed" }
    case "CutResponse":
      return { status: "incomplete", reason: fault.reason }
    case "CancelCalls":
      return { status: "cancelled", reason: fault.reason }
    case "FailResponse": {
      const {
        code = serverError.code,
        message = "The server had an error while processing your request. Sorry about that!",
        type = serverError.type
      } = fault
      return { status: "failed", error: { type, code, message } }
    }
  }
}

const player = makePlayer<Step, Frame, Active>({
  active: (step) => step.state.active,
  update: (step, id, change) => step.changeActive(id, change),
  promptOf: (step, active) => {
    const prompt = promptOf(step, active)
    if (prompt !== undefined) step.changeActive(active.id, { read: tokensRead(step, active) })
    return prompt
  },
  styleOf: (_, { settings: { modality, speed, voice } }) =>
    modality === "text" ? undefined : { speed, voice: typeof voice === "string" ? voice : voice.id },
  framesOf: ({ setup: { chunkMs } }, { faults, settings: { format } }, reply, speech) =>
    framesOf({ reply, speech, format, chunkMs, faults }),
  play,
  end: (step, id, fault) => finish(step, id, outcomeOf(fault)),
  fail: (step, id, message) => finish(step, id, { status: "failed", error: { ...serverError, message } }),
  isOverLimit: (_, { settings, used }) => settings.maxTokens !== "inf" && Usage.sum(used) >= settings.maxTokens
})

export const { advance, onSpoken, onTranscribed, release } = player

/** The only way in which a response ends. */
const finish = (step: Step, id: string, outcome: Outcome): void => {
  if (openOutput(step.active(id)!) !== undefined) close(step, id, "incomplete")
  const active = step.active(id)!
  const usage = Usage.usageOf(active.read, active.used, active.isDefault ? step.state.cached : 0)
  step.set({ active: step.state.active.filter((other) => other.id !== id) })
  if (active.isDefault) step.set({ cached: Usage.sum(active.read) })
  step.do({ _tag: "Forget", key: id })
  step.send({ type: "response.done", response: responseObject(step, active, outcome, usage) })
  const spent = Usage.sum(active.read) + Usage.sum(active.used)
  step.send({
    type: "rate_limits.updated",
    rate_limits: [
      {
        name: "tokens",
        limit: TOKENS_PER_MINUTE,
        remaining: TOKENS_PER_MINUTE - spent,
        reset_seconds: (spent * 60) / TOKENS_PER_MINUTE
      }
    ]
  })
  if (outcome.status === "cancelled") playLate(step, active, faultOf(active.faults, "LateAudio")?.chunks ?? 0)
  if (active.isDefault && !active.isIdlePrompt) waitForIdle(step, active)
}

/** The user has until the reply was played, and the session's idle timeout after that. */
const waitForIdle = (step: Step, active: Active): void => {
  const detection = step.state.settings.audio.input.turn_detection
  if (detection?.type !== "server_vad" || detection.idle_timeout_ms === null) return
  const saidMs = active.outputs.reduce((ms, output) => ms + output.ms, 0)
  step.wake("idle", Math.max(step.now, active.createdAt + saidMs) + detection.idle_timeout_ms)
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
