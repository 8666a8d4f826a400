/**
 * Session resumption: handles, and the conversations that they restore on a later connection.
 */
import type { WireEvent } from "../session/machine.ts"
import type { Conversation } from "./state.ts"
import type { Step } from "./step.ts"
import { isWaiting } from "./calls.ts"

/** Stores the conversation as it is now. Returns the update that announces its handle. */
export const issueHandle = (step: Step): WireEvent => {
  const handle = step.id()
  const { conversation } = step.state
  step.set({ handle, kept: conversation })
  step.do({ _tag: "Store", key: handle, value: conversation })
  return { newHandle: handle, resumable: true }
}

/** Tells the client when what it can resume has changed. */
export const updateResumption = (step: Step): void => {
  const { conversation, ended, handle, isWanted, kept, settings, turn } = step.state
  if (settings?.isResumable !== true || ended) return
  const isBusy = turn !== undefined || isWanted || isWaiting(step)
  if (isBusy) {
    if (handle === "") return
    step.set({ handle: "" })
    return step.send({ sessionResumptionUpdate: {} })
  }
  if (handle === "" || handle === undefined || kept !== conversation) {
    step.send({ sessionResumptionUpdate: issueHandle(step) })
  }
}

/** The conversation of a handle, or why the connection ends. */
export const restore = (
  step: Step,
  handle: string,
  model: string
): Conversation | { readonly code: number; readonly reason: string } => {
  const { rejects } = step.state
  if (rejects !== undefined) return { code: 1008, reason: rejects }
  const found = step.setup.lookup(handle)
  if (found === undefined) return { code: 1008, reason: "BidiGenerateContent session not found" }
  if (step.now - found.at > step.setup.handleMs) return { code: 1008, reason: "BidiGenerateContent session expired" }
  if (found.isLive) {
    return { code: 1011, reason: "Internal error encountered. The session is still connected." }
  }
  const conversation = found.value as Conversation
  if (conversation.model !== model) {
    return {
      code: 1007,
      reason: `The session was started with models/${conversation.model}, not with models/${model}.`
    }
  }
  // from now on this connection keeps others from using the handle
  step.do({ _tag: "Store", key: handle, value: conversation })
  return conversation
}
