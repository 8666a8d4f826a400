/**
 * Servers of the protocol that are not like the provider's own: what they swallow, refuse and call otherwise.
 */
import type { Oddity } from "../../Fault.ts"
import type { ServerEvent } from "./state.ts"
import type { Step } from "./step.ts"

/** Whether an event of the client is not answered as it should be; it is refused here, where it is. */
export const isLost = (step: Step, type: unknown): boolean => {
  const { odd } = step.state
  const at = odd.findIndex((one) => (one._tag === "Swallow" || one._tag === "RefuseEvent") && one.event === type)
  const one = odd[at]
  if (one === undefined) return false
  if (one._tag === "Swallow" && one.times > 1) {
    step.set({ odd: odd.with(at, { ...one, times: one.times - 1 }) })
    return true
  }
  step.set({ odd: odd.toSpliced(at, 1) })
  if (one._tag === "RefuseEvent") {
    step.refuse(one.code ?? "invalid_value", one.message ?? `The event ${String(type)} was refused.`, one.param ?? null)
  }
  return true
}

/** Why what was said is not put into words, where it is not. */
export const failsToHear = (step: Step): string | undefined => {
  const { odd } = step.state
  const at = odd.findIndex(({ _tag }) => _tag === "FailTranscription")
  const one = odd[at]
  if (one?._tag !== "FailTranscription") return undefined
  step.set({ odd: odd.toSpliced(at, 1) })
  return one.message ?? "The audio could not be transcribed."
}

/** The name of a call. */
export const callId = (step: Step): string =>
  step.state.odd.some(({ _tag }) => _tag === "OneCallId") ? "call_0" : step.id("call")

/** An event as such a server sends it. */
export const disguise = (odd: ReadonlyArray<Oddity>, event: ServerEvent): ServerEvent =>
  odd.reduce<ServerEvent>((event, one) => {
    switch (one._tag) {
      case "OneId":
        return { ...event, event_id: "event_TODO" }
      case "OldNames":
        return {
          ...event,
          type: event.type.replace(/^response\.output_(audio|audio_transcript|text)\./, "response.$1.")
        }
      case "Anonymous": {
        if (event.type !== "error") return event
        const { event_id: _, ...error } = event.error as Record<string, unknown>
        return { ...event, error }
      }
      case "Swallow":
      case "RefuseEvent":
      case "FailTranscription":
      case "OneCallId":
        return event
    }
  }, event)
