/**
 * What the client adds to the conversation: history, text and images.
 */
import type { Image } from "../../Prompt.ts"
import * as Base64 from "../audio/base64.ts"
import { ofText, plus } from "../session/tokens.ts"
import { Refused, refused } from "./check.ts"
import type { ClientContent, Content, ContextUpdate } from "./protocol.ts"
import { declaredIn } from "./functions.ts"
import { textOf } from "./settings.ts"
import type { Entry } from "./state.ts"
import type { Step } from "./step.ts"
import { interrupt, request, settle } from "./turn.ts"
import { ofImages } from "./usage.ts"

const imagesOf = ({ parts = [] }: Content, path: string): ReadonlyArray<Image> | Refused => {
  const images: Array<Image> = []
  for (const [i, { functionCall, functionResponse, inlineData }] of parts.entries()) {
    if (functionCall !== undefined || functionResponse !== undefined) {
      return refused(`Function calls and responses are not supported in ${path}.parts[${i}].`)
    }
    if (inlineData === undefined) continue
    const bytes = inlineData.mimeType.startsWith("image/") ? Base64.decode(inlineData.data) : undefined
    if (bytes === undefined) return refused(`Unsupported inline data at '${path}.parts[${i}]': ${inlineData.mimeType}`)
    images.push({ mediaType: inlineData.mimeType, bytes: bytes.length })
  }
  return images
}

const entriesOf = (step: Step, turns: ReadonlyArray<Content>): ReadonlyArray<Entry> | Refused => {
  const entries: Array<Entry> = []
  for (const [i, one] of turns.entries()) {
    if (one.role !== "user" && one.role !== "model") return refused("Please use a valid role: user, model.")
    const images = imagesOf(one, `clientContent.turns[${i}]`)
    if (images instanceof Refused) return images
    const text = textOf(one)
    entries.push({
      key: step.id(),
      turn: one.role === "user" ? { role: "user", text, images } : { role: "assistant", text },
      tokens: plus(ofText(text), ofImages(images.length)),
      isPending: false
    })
  }
  return entries
}

export const onClientContent = (step: Step, { turnComplete = false, turns = [] }: ClientContent): void => {
  const { conversation, isSeeding } = step.state
  if (conversation.hasSpoken && !step.settings.family.takesContentAnyTime) {
    return step.refuse("Request contains an invalid argument.")
  }
  const entries = entriesOf(step, turns)
  if (entries instanceof Refused) return step.refuse(entries)
  if (isSeeding) {
    // history comes before what was said meanwhile
    const told = conversation.entries.findLastIndex(({ key }) => key.startsWith("seed:")) + 1
    const seeds = entries.map((entry) => ({ ...entry, key: `seed:${entry.key}` }))
    step.setConversation({ entries: conversation.entries.toSpliced(told, 0, ...seeds) })
    step.set({ isSeeding: !turnComplete })
    return settle(step)
  }
  if (turnComplete) interrupt(step)
  step.add(...entries)
  if (turnComplete) request(step)
}

/** Changes the instructions or the functions. */
export const onContextUpdate = (step: Step, { systemInstruction, tools }: ContextUpdate): void => {
  const { settings } = step
  if (!settings.family.hasContextUpdate) return step.refuse("Context updates are not supported for this model.")
  const functions =
    tools === undefined
      ? settings.functions
      : declaredIn(tools.tools ?? [], settings.family, "contextUpdate.tools.tools")
  if (functions instanceof Refused) return step.refuse(functions)
  const system = systemInstruction === undefined ? settings.system : textOf(systemInstruction)
  step.set({ settings: { ...settings, functions, system } })
}
