/**
 * Client events that a server with quirks ignores or refuses.
 */
import type { Step } from "./step.ts"

/** Whether a quirk ignores or refuses the event. If it refuses it, the error is sent. */
export const isLost = (step: Step, type: unknown): boolean => {
  const { quirks } = step.state
  const at = quirks.findIndex((one) => (one._tag === "IgnoreEvent" || one._tag === "RefuseEvent") && one.event === type)
  const one = quirks[at]
  if (one === undefined) return false
  if (one._tag === "IgnoreEvent" && one.times > 1) {
    step.set({ quirks: quirks.with(at, { ...one, times: one.times - 1 }) })
    return true
  }
  step.set({ quirks: quirks.toSpliced(at, 1) })
  if (one._tag === "RefuseEvent") {
    step.refuse(one.code ?? "invalid_value", one.message ?? `The event ${String(type)} was refused.`, one.param ?? null)
  }
  return true
}

/** Why a transcription fails, if a quirk makes it fail. */
export const failsToHear = (step: Step): string | undefined => {
  const { quirks } = step.state
  const at = quirks.findIndex(({ _tag }) => _tag === "FailTranscription")
  const one = quirks[at]
  if (one?._tag !== "FailTranscription") return undefined
  step.set({ quirks: quirks.toSpliced(at, 1) })
  return one.message ?? "The audio could not be transcribed."
}

/** The id of a call. */
export const callId = (step: Step): string =>
  step.state.quirks.some(({ _tag }) => _tag === "SameCallId") ? "call_0" : step.id("call")
