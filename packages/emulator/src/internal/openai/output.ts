/**
 * The events of a response, frame by frame. The closing events repeat exactly what the deltas before them said.
 */
import * as Base64 from "../audio/base64.ts"
import { isAudio } from "../session/frames.ts"
import type { Frame } from "./frames.ts"
import { callId } from "./quirks.ts"
import type { Active, Item, Output, WireItem } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"

/** How a response ends. */
export type Outcome =
  | { readonly status: "completed" }
  | { readonly status: "cancelled"; readonly reason: "turn_detected" | "client_cancelled" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" }
  | {
      readonly status: "failed"
      readonly error: { readonly type: string; readonly code: string; readonly message: string }
    }

const wireOf = (output: Output, isOpen: boolean): WireItem =>
  output.kind === "call"
    ? {
        id: output.id,
        type: "function_call",
        status: output.status,
        call_id: output.callId,
        name: output.name,
        arguments: output.text
      }
    : {
        id: output.id,
        type: "message",
        status: output.status,
        role: "assistant",
        content: isOpen
          ? []
          : [
              output.kind === "audio"
                ? { type: "output_audio", transcript: output.text }
                : { type: "output_text", text: output.text }
            ]
      }

const turnOf = (output: Output): Item["turn"] =>
  output.kind === "call"
    ? { role: "call", callId: output.callId, name: output.name, arguments: output.text }
    : { role: "assistant", text: output.text }

const itemOf = (output: Output, isOpen: boolean): Item => ({
  id: output.id,
  wire: wireOf(output, isOpen),
  turn: turnOf(output),
  tokens: Usage.plus(Usage.ofText(output.text), Usage.ofSaid(output.ms)),
  isPending: false,
  sound: undefined,
  soundMs: 0,
  isTruncated: false,
  spoken: output.kind === "audio" ? { words: output.words, ms: output.ms } : undefined
})

const place = (active: Active) => ({ response_id: active.id, output_index: active.outputs.length - 1 })

const partOf = (output: Output) =>
  output.kind === "audio" ? { type: "audio", transcript: output.text } : { type: "text", text: output.text }

/** The item that is being written, if any. */
export const openOutput = (active: Active): Output | undefined => {
  const last = active.outputs.at(-1)
  return last?.status === "in_progress" ? last : undefined
}

const open = (step: Step, responseId: string, kind: Output["kind"], name: string): void => {
  const isDefault = step.active(responseId)!.isDefault
  const output: Output = {
    id: step.id("item"),
    callId: kind === "call" ? callId(step) : "",
    name,
    text: "",
    words: [],
    ms: 0,
    kind,
    status: "in_progress",
    previousId: isDefault ? step.lastItemId : null
  }
  step.changeActive(responseId, { outputs: [...step.active(responseId)!.outputs, output] })
  const item = wireOf(output, true)
  step.send({ type: "response.output_item.added", ...place(step.active(responseId)!), item })
  if (isDefault) {
    step.insert(itemOf(output, true))
    step.send({ type: "conversation.item.added", previous_item_id: output.previousId, item })
  }
  if (kind === "call") return
  const part = partOf(output)
  step.send({
    type: "response.content_part.added",
    ...place(step.active(responseId)!),
    item_id: output.id,
    content_index: 0,
    part
  })
}

/** Adds to the open item, in the response and in the conversation. */
const extend = (step: Step, responseId: string, change: (output: Output) => Output): Output => {
  const active = step.active(responseId)!
  const output = change(active.outputs.at(-1)!)
  step.changeActive(responseId, { outputs: [...active.outputs.slice(0, -1), output] })
  if (active.isDefault) {
    // later deltas must not undo a deletion or a truncation
    step.change(output.id, (item) => (item.isTruncated ? item : itemOf(output, output.status === "in_progress")))
  }
  return output
}

const countTokens = (step: Step, responseId: string, text: string, ms: number): void => {
  const { used } = step.active(responseId)!
  step.changeActive(responseId, { used: Usage.plus(used, Usage.plus(Usage.ofText(text), Usage.ofSaid(ms))) })
}

/** Closes the open item as it is. */
export const close = (step: Step, responseId: string, status: "completed" | "incomplete"): void => {
  if (openOutput(step.active(responseId)!) === undefined) return
  const output = extend(step, responseId, (output) => ({ ...output, status }))
  const active = step.active(responseId)!
  const at = { ...place(active), item_id: output.id }
  const item = wireOf(output, false)
  if (output.kind === "call") {
    step.send({
      type: "response.function_call_arguments.done",
      ...at,
      call_id: output.callId,
      name: output.name,
      arguments: output.text
    })
  } else {
    const part = { ...at, content_index: 0 }
    if (output.kind === "audio") {
      step.send({ type: "response.output_audio.done", ...part })
      step.send({ type: "response.output_audio_transcript.done", ...part, transcript: output.text })
    } else step.send({ type: "response.output_text.done", ...part, text: output.text })
    step.send({ type: "response.content_part.done", ...part, part: partOf(output) })
  }
  if (active.isDefault && step.item(output.id) !== undefined) {
    step.send({ type: "conversation.item.done", previous_item_id: output.previousId, item })
  }
  step.send({ type: "response.output_item.done", ...place(active), item })
}

const sendSound = (step: Step, responseId: string, bytes: Uint8Array): void => {
  const active = step.active(responseId)!
  step.send({
    type: "response.output_audio.delta",
    ...place(active),
    item_id: active.outputs.at(-1)!.id,
    content_index: 0,
    delta: Base64.encode(bytes)
  })
}

/** Sends one frame. */
export const play = (step: Step, responseId: string, frame: Frame): void => {
  switch (frame._tag) {
    case "OpenMessage":
      return open(step, responseId, frame.kind, "")
    case "OpenCall":
      return open(step, responseId, "call", frame.name)
    case "CloseItem":
      return close(step, responseId, "completed")
    case "Audio": {
      const text = frame.words.map((word) => word.text).join("")
      const output = extend(step, responseId, (output) => ({
        ...output,
        text: output.text + text,
        words: [...output.words, ...frame.words],
        ms: output.ms + frame.ms
      }))
      countTokens(step, responseId, text, frame.ms)
      if (text !== "") {
        const at = { ...place(step.active(responseId)!), item_id: output.id, content_index: 0 }
        step.send({
          type: "response.output_audio_transcript.delta",
          ...at,
          delta: text,
          obfuscation: padding(text)
        })
      }
      if (step.active(responseId)!.isDefault) step.set({ hasSpoken: true })
      return sendSound(step, responseId, frame.bytes)
    }
    case "Text":
    case "Arguments": {
      const output = extend(step, responseId, (output) => ({ ...output, text: output.text + frame.text }))
      countTokens(step, responseId, frame.text, 0)
      const at = { ...place(step.active(responseId)!), item_id: output.id }
      return frame._tag === "Text"
        ? step.send({ type: "response.output_text.delta", ...at, content_index: 0, delta: frame.text })
        : step.send({
            type: "response.function_call_arguments.delta",
            ...at,
            call_id: output.callId,
            delta: frame.text
          })
    }
  }
}

/** Audio deltas of a response that is over, which a client must not play. */
export const playLate = (step: Step, active: Active, chunks: number): void => {
  const item = active.outputs.at(-1)
  if (item?.kind !== "audio") return
  const late = active.frames.slice(active.next).filter(isAudio)
  for (const { bytes } of late.slice(0, chunks)) {
    step.send({
      type: "response.output_audio.delta",
      ...place(active),
      item_id: item.id,
      content_index: 0,
      delta: Base64.encode(bytes)
    })
  }
}

/** Padding that hides the length of the text from observers of encrypted traffic. */
const padding = (text: string): string => "Zq7Xb2Lm0Rt9Kw4V".slice(text.length % 16)

const statusDetails = (end: Outcome) => {
  switch (end.status) {
    case "completed":
      return null
    case "cancelled":
    case "incomplete":
      return { type: end.status, reason: end.reason }
    case "failed":
      return { type: "failed", error: end.error }
  }
}

/** The response object; `end` is `undefined` while it is in progress. */
export const responseObject = (step: Step, active: Active, end: Outcome | undefined, usage: unknown) => ({
  object: "realtime.response",
  id: active.id,
  status: end?.status ?? "in_progress",
  status_details: end === undefined ? null : statusDetails(end),
  output: active.outputs.map((output) => wireOf(output, false)),
  conversation_id: active.isDefault ? step.state.conversationId : null,
  output_modalities: [active.settings.modality],
  max_output_tokens: active.settings.maxTokens,
  audio: { output: { format: active.settings.format, voice: active.settings.voice } },
  usage,
  metadata: active.params.metadata ?? null
})
