/**
 * Servers of the protocol that are not like the provider's own: what they ignore and refuse.
 */
import type { Step } from "./step.ts"

/** Whether an event of the client is not answered as it should be; it is refused here, where it is. */
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

/** Why what was said is not put into words, where it is not. */
export const failsToHear = (step: Step): string | undefined => {
  const { quirks } = step.state
  const at = quirks.findIndex(({ _tag }) => _tag === "FailTranscription")
  const one = quirks[at]
  if (one?._tag !== "FailTranscription") return undefined
  step.set({ quirks: quirks.toSpliced(at, 1) })
  return one.message ?? "The audio could not be transcribed."
}

/** The name of a call. */
export const callId = (step: Step): string =>
  step.state.quirks.some(({ _tag }) => _tag === "SameCallId") ? "call_0" : step.id("call")
