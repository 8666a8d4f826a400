/**
 * Conversation items, as the client creates, retrieves, truncates and deletes them.
 */
import type { Image } from "../../Prompt.ts"
import * as Base64 from "../audio/base64.ts"
import { Refused } from "./check.ts"
import type { ClientEvent, NewItem } from "./protocol.ts"
import type { Item, WireItem } from "./state.ts"
import type { Step } from "./step.ts"
import * as Usage from "./usage.ts"
import { decodeSound, joinSounds } from "./wireAudio.ts"
import type { Sound } from "./wireAudio.ts"

type Event<T extends ClientEvent["type"]> = Extract<ClientEvent, { readonly type: T }>

/** An item that the client sent, and the audio in it that has to be transcribed. */
export interface Made {
  readonly item: Item
  readonly sound: Sound | undefined
}

const imageOf = (url: string): Image | undefined => {
  const match = /^data:(image\/(?:png|jpeg));base64,(.*)$/s.exec(url)
  const bytes = match === null ? undefined : Base64.decode(match[2]!)
  return bytes === undefined || bytes.length === 0 ? undefined : { mediaType: match![1]!, bytes: bytes.length }
}

const plain = { isPending: false, isTruncated: false, sound: undefined, soundMs: 0, spoken: undefined }

const ofUser = (step: Step, id: string, given: Extract<NewItem, { readonly role: "user" }>): Made | Refused => {
  const images: Array<Image> = []
  const texts: Array<string> = []
  let tokens = Usage.none
  const sounds: Array<Sound> = []
  for (const [index, part] of given.content.entries()) {
    const at = `item.content[${index}]`
    if (part.type === "input_text") {
      texts.push(part.text)
      tokens = Usage.plus(tokens, Usage.ofText(part.text))
    } else if (part.type === "input_image") {
      const image = imageOf(part.image_url)
      if (image === undefined) {
        const message = `Invalid '${at}.image_url'. Expected a base64-encoded data URL with an image MIME type (image/png or image/jpeg).`
        return new Refused("invalid_value", message, `${at}.image_url`)
      }
      images.push(image)
      tokens = Usage.plus(tokens, Usage.ofImage(part.detail ?? "auto"))
    } else {
      const decoded = decodeSound(part.audio, step.state.settings.audio.input.format, `${at}.audio`)
      if (decoded instanceof Refused) return decoded
      sounds.push(decoded)
      tokens = Usage.plus(tokens, Usage.ofHeard(decoded.ms))
    }
  }
  const content = given.content.map((part) =>
    part.type === "input_audio" ? { type: "input_audio", transcript: part.transcript ?? null } : part
  )
  const sound = joinSounds(sounds)
  return {
    item: {
      ...plain,
      id,
      wire: { id, type: "message", status: "completed", role: "user", content },
      turn: { role: "user", text: texts.join(" "), images },
      tokens,
      isPending: sound !== undefined,
      sound: sound?.bytes,
      soundMs: sound?.ms ?? 0
    },
    sound
  }
}

const withoutSound = (item: Omit<Item, keyof typeof plain>): Made => ({ item: { ...plain, ...item }, sound: undefined })

/** The item that a client describes. `calls` are the call ids that a function output may refer to. */
export const makeItem = (step: Step, given: NewItem, calls: ReadonlySet<string>): Made | Refused => {
  const id = given.id ?? step.id("item")
  switch (given.type) {
    case "function_call": {
      const callId = given.call_id ?? step.id("call")
      const { arguments: args, name } = given
      const wire: WireItem = { id, type: given.type, status: "completed", call_id: callId, name, arguments: args }
      return withoutSound({
        id,
        wire,
        turn: { role: "call", callId, name, arguments: args },
        tokens: Usage.ofText(name + args)
      })
    }
    case "function_call_output": {
      const { call_id: callId, output } = given
      if (!calls.has(callId)) {
        return new Refused(
          "invalid_tool_call_id",
          `Tool call ID '${callId}' not found in conversation.`,
          "item.call_id"
        )
      }
      const wire: WireItem = { id, type: given.type, status: "completed", call_id: callId, output }
      return withoutSound({ id, wire, turn: { role: "result", callId, output }, tokens: Usage.ofText(output) })
    }
    case "message": {
      if (given.role === "user") return ofUser(step, id, given)
      const parts = given.content.map((part) => ("transcript" in part ? part.transcript : part.text))
      const text = parts.join(given.role === "system" ? " " : "")
      const content = given.content.map((part) =>
        part.type === "text" ? { type: "output_text", text: part.text } : part
      )
      const wire: WireItem = { id, type: given.type, status: "completed", role: given.role, content }
      return withoutSound({ id, wire, turn: { role: given.role, text }, tokens: Usage.ofText(text) })
    }
  }
}

/** Call ids of the items. */
export const callsOf = (items: ReadonlyArray<Item>): ReadonlySet<string> =>
  new Set(items.flatMap(({ turn }) => (turn.role === "call" ? [turn.callId] : [])))

/** Announces an item that is complete from the start. */
export const announce = (step: Step, item: Item, previousId: string | null): void => {
  step.send({ type: "conversation.item.added", previous_item_id: previousId, item: item.wire })
  step.send({ type: "conversation.item.done", previous_item_id: previousId, item: item.wire })
}

export const create = (step: Step, event: Event<"conversation.item.create">): void => {
  const { item: given, previous_item_id: wished } = event
  if (given.id !== undefined && step.item(given.id) !== undefined) {
    return step.refuse(
      "item_create_duplicate_item_id",
      `Error adding item: an item with id '${given.id}' already exists in the conversation.`,
      "item.id"
    )
  }
  if (typeof wished === "string" && wished !== "root" && step.item(wished) === undefined) {
    return step.refuse(
      "item_create_invalid_previous_item_id",
      `Error adding item: the previous item with id '${wished}' does not exist.`,
      "previous_item_id"
    )
  }
  const previousId = wished === "root" ? null : (wished ?? step.lastItemId)
  const made = makeItem(step, given, callsOf(step.state.items))
  if (made instanceof Refused) return step.refuseFor(made.problem)
  step.insert(made.item, previousId)
  announce(step, made.item, previousId)
  if (made.sound !== undefined) step.do({ _tag: "Transcribe", key: made.item.id, pcm: made.sound.pcm })
}

const missing = (step: Step, doing: string, code: string, id: string): void =>
  step.refuse(code, `Error ${doing} item: the item with id '${id}' does not exist.`, "item_id")

export const remove = (step: Step, { item_id: id }: Event<"conversation.item.delete">): void => {
  if (step.item(id) === undefined) return missing(step, "deleting", "item_delete_invalid_item_id", id)
  step.set({ items: step.state.items.filter((item) => item.id !== id) })
  step.send({ type: "conversation.item.deleted", item_id: id })
}

export const retrieve = (step: Step, { item_id: id }: Event<"conversation.item.retrieve">): void => {
  const item = step.item(id)
  if (item === undefined) return missing(step, "retrieving", "item_retrieve_invalid_item_id", id)
  const { content } = item.wire
  const audio = item.sound === undefined ? null : Base64.encode(item.sound)
  const shown = Array.isArray(content)
    ? (content as ReadonlyArray<Readonly<Record<string, unknown>>>).map((part) =>
        part.type === "input_audio" ? { ...part, audio } : part
      )
    : undefined
  step.send({
    type: "conversation.item.retrieved",
    item: shown === undefined ? item.wire : { ...item.wire, content: shown }
  })
}

/** Truncates what the assistant said to what was heard of it. The other words are removed. */
export const truncate = (step: Step, event: Event<"conversation.item.truncate">): void => {
  const { audio_end_ms: endMs, content_index: index, item_id: id } = event
  const item = step.item(id)
  if (item === undefined) return missing(step, "truncating", "item_truncate_invalid_item_id", id)
  const { spoken } = item
  if (spoken === undefined || spoken.ms === 0) {
    return step.refuse(null, "Only model output audio messages can be truncated")
  }
  if (index !== 0) {
    return step.refuse(
      "invalid_value",
      `Invalid 'content_index': the item has no audio content at ${index}.`,
      "content_index"
    )
  }
  if (endMs > spoken.ms) {
    return step.refuse(
      "invalid_value",
      `Audio content of ${Math.floor(spoken.ms)}ms is already shorter than ${endMs}ms`,
      "audio_end_ms"
    )
  }
  const heard = spoken.words.filter((word) => word.endMs <= endMs)
  const text = heard.map((word) => word.text).join("")
  step.change(id, (item) => ({
    ...item,
    isTruncated: true,
    wire: { ...item.wire, content: [{ type: "output_audio" }] },
    turn: { role: "assistant", text },
    tokens: Usage.plus(Usage.ofText(text), Usage.ofSaid(endMs)),
    spoken: { words: heard, ms: endMs }
  }))
  step.send({ type: "conversation.item.truncated", item_id: id, content_index: index, audio_end_ms: endMs })
}
