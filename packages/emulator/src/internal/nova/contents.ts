/**
 * Content blocks of the client: instructions, history, audio, typed text and results of tools.
 */
import { ofText } from "./usage.ts"
import { onAudioEnd } from "./input.ts"
import type { ContentStart, Input } from "./protocol.ts"
import { unparsable } from "./check.ts"
import type { Block } from "./state.ts"
import type { Step } from "./step.ts"
import { interrupt, request } from "./turn.ts"

/** Limits of the history, and of one text in it. */
const MAX_HISTORY_BYTES = 40 * 1024
const MAX_TEXT_BYTES = 1024

/** What a block is for. */
type Kind = "instructions" | "history" | "audio" | "text" | "result"

const kindOf = ({ interactive, role, type }: Block): Kind | undefined => {
  if (type === "AUDIO") return role === "USER" && interactive ? "audio" : undefined
  if (type === "TOOL") return role === "TOOL" && !interactive ? "result" : undefined
  if (role === "SYSTEM" || role === "SYSTEM_SPEECH") return interactive ? undefined : "instructions"
  if (role === "TOOL") return undefined
  return interactive ? (role === "USER" ? "text" : undefined) : "history"
}

/** Why a block cannot start now. */
const against = (step: Step, block: Block): string | undefined => {
  const { audio, calls, hasHistory, names, systemRoles } = step.state
  if (names.has(block.name)) return `Content name has already been used: ${block.name}`
  switch (kindOf(block)) {
    case undefined:
      return `Invalid content: type ${block.type}, role ${block.role}, interactive ${block.interactive}`
    case "instructions":
      if (systemRoles.has(block.role)) return `Duplicate ${block.role} content`
      return hasHistory || audio !== "none" ? `${block.role} content must come before all other content` : undefined
    case "history":
      if (audio !== "none") return "Chat history must come before audio"
      return !hasHistory && block.role !== "USER" ? "First message in chat history must be from USER" : undefined
    case "audio":
      return audio === "none" ? undefined : "Duplicate AUDIO content"
    case "text":
      return audio === "open" ? undefined : "Text input needs an open AUDIO content"
    case "result":
      return calls.some(({ id, isAnswered }) => id === block.toolUseId && !isAnswered)
        ? undefined
        : `No open tool use found for toolUseId: ${block.toolUseId}`
  }
}

export const onContentStart = (step: Step, event: ContentStart): void => {
  const { audioInputConfiguration, textInputConfiguration, toolResultInputConfiguration, type } = event
  const configuration = {
    TEXT: textInputConfiguration,
    AUDIO: audioInputConfiguration,
    TOOL: toolResultInputConfiguration
  }
  if (configuration[type] === undefined) {
    return step.refuse(unparsable(`contentStart of the type ${type} has no configuration of it`))
  }
  const block: Block = {
    name: event.contentName,
    type,
    role: event.role,
    interactive: event.interactive ?? false,
    inputs: [],
    sampleRate: audioInputConfiguration?.sampleRateHertz ?? 0,
    toolUseId: toolResultInputConfiguration?.toolUseId ?? ""
  }
  const problem = against(step, block)
  if (problem !== undefined) return step.refuse(problem)
  const { names, open, systemRoles } = step.state
  const kind = kindOf(block)
  step.set({
    names: new Set([...names, block.name]),
    open: [...open, block],
    ...(kind === "instructions" ? { systemRoles: new Set([...systemRoles, block.role]) } : {}),
    ...(kind === "history" ? { hasHistory: true } : {}),
    ...(kind === "audio" ? { audio: "open" } : {})
  })
}

const noContent = (name: string): string => `No open content found for content name: ${name}`

/** The open block with that name and type. */
export const findBlock = (step: Step, name: string, type: Block["type"]): Block | undefined => {
  const block = step.state.open.find((one) => one.name === name && one.type === type)
  if (block === undefined) step.refuse(noContent(name))
  return block
}

const put = (step: Step, block: Block, text: string): void =>
  step.set({
    open: step.state.open.map((one) => (one.name === block.name ? { ...one, inputs: [...one.inputs, text] } : one))
  })

export const onTextInput = (step: Step, { content, contentName }: Input): void => {
  const block = findBlock(step, contentName, "TEXT")
  if (block === undefined) return
  if (kindOf(block) === "history") {
    const bytes = Buffer.byteLength(content)
    if (bytes > MAX_TEXT_BYTES) return step.refuse(`Text input is over max limit of ${MAX_TEXT_BYTES} bytes: ${bytes}`)
    const historyBytes = step.state.historyBytes + bytes
    if (historyBytes > MAX_HISTORY_BYTES) {
      return step.refuse("Chat history is over max limit. Trim chat history and try again.")
    }
    step.set({ historyBytes })
  }
  step.count("input", ofText(content))
  put(step, block, content)
}

const isJson = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null
  } catch {
    return false
  }
}

export const onToolResult = (step: Step, { content, contentName }: Input): void => {
  const block = findBlock(step, contentName, "TOOL")
  if (block === undefined) return
  if (!isJson(content) || block.inputs.length > 0) return step.refuse("Tool Response parsing error")
  step.count("input", ofText(content))
  put(step, block, content)
}

const answer = (step: Step, { inputs, toolUseId }: Block): void => {
  const [output] = inputs
  if (output === undefined) return step.refuse("Tool Response parsing error")
  const calls = step.state.calls.map((one) => (one.id === toolUseId ? { ...one, isAnswered: true } : one))
  step.set({ calls, wordAt: step.now })
  step.add({ key: step.id(), turn: { role: "result", callId: toolUseId, output } })
  // the reply waits for all results of calls that were made together
  if (calls.every(({ isAnswered }) => isAnswered)) request(step)
}

export const onContentEnd = (step: Step, name: string): void => {
  const block = step.state.open.find((one) => one.name === name)
  if (block === undefined) return step.refuse(noContent(name))
  step.set({ open: step.state.open.filter((one) => one !== block) })
  const text = block.inputs.join("")
  switch (kindOf(block)) {
    case "history": {
      const turn =
        block.role === "USER" ? ({ role: "user", text, images: [] } as const) : ({ role: "assistant", text } as const)
      return step.add({ key: step.id(), turn })
    }
    case "text":
      interrupt(step)
      step.set({ wordAt: step.now })
      step.add({ key: step.id(), turn: { role: "user", text, images: [] } })
      return request(step)
    case "audio":
      step.set({ audio: "closed" })
      return onAudioEnd(step, block.sampleRate)
    case "result":
      return answer(step, block)
  }
}
