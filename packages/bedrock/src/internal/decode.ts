/**
 * The provider's events as events of the contract. A fold: the same events over the same state give the same events.
 *
 * Its own completion spans the whole connection; turns are read off the ends of the blocks.
 */
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import type * as Schema from "effect/Schema"
import { type Fields, Malformed, optionalText, parse, text } from "@effect-bidi/core/adapter/Json"
import type { Inbound } from "./frame.ts"
import * as Response from "./response.ts"
import type { Block, Events, State } from "./state.ts"
import { since } from "./usage.ts"
import * as UserTurn from "./userTurn.ts"

/** Takes events in the order of the wire. Never throws: one that cannot be read is a `Problem`. */
export const receive = (state: State, frames: ReadonlyArray<Inbound>): Events => {
  const out: Events = []
  for (const frame of frames) {
    if (frame === undefined) {
      problem(state, out, "something the provider sent is not an event")
      continue
    }
    try {
      decode(state, frame.type, frame.data, out)
    } catch (error) {
      const why = error instanceof Malformed ? error.message : "it is unlike anything known"
      problem(state, out, `an event of the provider cannot be read: ${frame.type}: ${why}`)
    }
  }
  return out
}

/** What can be said at the end of the connection, whatever its reason. */
export const finish = (state: State): Events => {
  const out: Events = []
  // words that were still coming are not all: the sound of them will be sent again
  if (state.turn?.open.size === 0) UserTurn.answer(state, out)
  UserTurn.overdue(state, out)
  if (state.response !== undefined) Response.abandon(state.response, out)
  return out
}

const problem = (state: State, out: Events, message: string) => {
  out.push({ _tag: "Problem", error: state.errors.malformed(message) })
}

const decode = (state: State, type: string, data: Fields, out: Events): void => {
  switch (type) {
    case "audioOutput":
      return onAudio(state, data, out)
    case "contentStart":
      return onStart(state, data, out)
    case "textOutput":
      return onText(state, data, out)
    case "toolUse":
      return onTool(state, data, out)
    case "contentEnd":
      return onEnd(state, data, out)
    case "completionEnd": {
      const { response } = state
      if (response !== undefined) Response.close(state, response, response.ending ?? "complete", out)
      return
    }
    case "usageEvent": {
      const [totals, usage] = since(state.totals, data)
      state.totals = totals
      // told behind the reply it is about; once the user has spoken again, it is about that
      const about = state.response ?? (state.turn === undefined ? state.last : undefined)
      if (usage !== undefined) out.push(about === undefined ? usage : { ...usage, responseId: about.id })
      return
    }
    case "completionStart":
      return
    default:
      out.push({ _tag: "Unknown", type, raw: { event: { [type]: data as Schema.JsonObject } } })
  }
}

// More blocks than these are never open at once; those that never end are forgotten.
const MAX_OPEN_BLOCKS = 64

const onStart = (state: State, data: Fields, out: Events): void => {
  open(state, text(data, "contentId"), text(data, "type"), data, out)
}

const open = (state: State, contentId: string, type: string, data: Fields, out: Events): Block => {
  const role = optionalText(data, "role") ?? ""
  const about = state.response ?? state.last
  const block: Block = {
    type,
    role,
    stage: stageOf(data),
    turn: role === "USER" && type === "TEXT" ? hear(state, contentId, out) : undefined,
    about,
    response: role === "ASSISTANT" && type === "AUDIO" ? Response.openSound(state, contentId, out) : undefined,
    begun: false
  }
  state.blocks.set(contentId, block)
  state.silenced.delete(contentId)
  if (state.blocks.size > MAX_OPEN_BLOCKS) state.blocks.delete(state.blocks.keys().next().value!)
  return block
}

const hear = (state: State, contentId: string, out: Events) => {
  Response.conclude(state, out)
  return UserTurn.hear(state, contentId, out)
}

// Content whose block began unheard tells its role as well.
const blockOf = (state: State, contentId: string, type: string, data: Fields, out: Events): Block =>
  state.blocks.get(contentId) ?? open(state, contentId, type, data, out)

const onText = (state: State, data: Fields, out: Events): void => {
  const contentId = text(data, "contentId")
  const content = text(data, "content")
  const block = blockOf(state, contentId, "TEXT", data, out)
  if (isInterruption(content)) return Response.interrupt(state, block.about, out)
  const isMore = block.begun
  block.begun = true
  if (block.turn !== undefined) return UserTurn.words(block.turn, content, isMore, out)
  if (block.role !== "ASSISTANT") return
  if (block.stage === "SPECULATIVE") {
    block.response = isMore ? Response.current(state, out) : Response.begin(state, out)
    Response.announce(block.response, content, isMore, out)
  } else {
    block.response = Response.confirm(state, content, isMore, block.stage, out)
  }
}

const onAudio = (state: State, data: Fields, out: Events): void => {
  const contentId = text(data, "contentId")
  // what comes late of a reply that was cut off is not the beginning of another one
  if (state.silenced.has(contentId)) return
  const audio = Base64.decode(text(data, "content"))
  const { response } = blockOf(state, contentId, "AUDIO", { role: "ASSISTANT" }, out)
  if (response === undefined || response.done || audio.length === 0) return
  Response.sound(response, audio, out)
}

const onTool = (state: State, data: Fields, out: Events): void => {
  const id = optionalText(data, "toolUseId")
  const name = optionalText(data, "toolName")
  if (!id || !name) throw new Malformed("a call needs an id and a name")
  const { content } = data
  const call = { id, name, arguments: typeof content === "string" ? content : (JSON.stringify(content) ?? "") }
  const block = blockOf(state, optionalText(data, "contentId") ?? id, "TOOL", data, out)
  block.response = Response.begin(state, out)
  out.push({ _tag: "ToolCalls", responseId: block.response.id, calls: [call] })
}

const onEnd = (state: State, data: Fields, out: Events): void => {
  const contentId = text(data, "contentId")
  const stopReason = optionalText(data, "stopReason")
  const block = state.blocks.get(contentId)
  state.blocks.delete(contentId)
  if (block === undefined) return
  if (block.type === "AUDIO") silence(state, contentId)
  if (block.turn !== undefined) return UserTurn.heard(block.turn, contentId, out)
  if (stopReason === "INTERRUPTED") return Response.interrupt(state, block.response ?? block.about, out)
  // a block without any text ends the reply that it came in all the same
  const response = block.response ?? (block.begun || block.role !== "ASSISTANT" ? undefined : block.about)
  if (response === undefined || response.done) return
  if (block.type === "TOOL") response.ending = "tool_use"
  if (block.type === "AUDIO") response.sounding.delete(contentId)
  if (stopReason === "END_TURN" && block.stage !== "SPECULATIVE") {
    response.ending ??= "complete"
    // sound ends before the last of its words is confirmed
    if (block.type === "TEXT") response.confirmed = true
  }
  Response.settle(state, response, out)
}

const silence = ({ silenced }: State, contentId: string): void => {
  silenced.add(contentId)
  if (silenced.size > MAX_OPEN_BLOCKS) silenced.delete(silenced.values().next().value!)
}

const stageOf = (data: Fields): string | undefined =>
  optionalText(parse(optionalText(data, "additionalModelFields") ?? "") ?? {}, "generationStage")

const isInterruption = (content: string): boolean =>
  content.trimStart().startsWith("{") && parse(content)?.interrupted === true
