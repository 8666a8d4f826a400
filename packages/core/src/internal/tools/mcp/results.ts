import type * as McpSchema from "effect/ai/McpSchema"

/** All text of a result, and what was left out of it. */
export const textOf = ({ content, structuredContent }: McpSchema.CallToolResult): string => {
  const texts = content.map(textOfBlock)
  const parts = texts.map((text, i) => text ?? `[left out: ${nameOf(content[i]!)}]`)
  if (structuredContent !== undefined && texts.every((text) => text === undefined)) {
    parts.unshift(JSON.stringify(structuredContent))
  }
  return parts.join("\n")
}

const textOfBlock = (block: McpSchema.ContentBlock): string | undefined => {
  if (block.type === "text") return block.text
  if (block.type === "resource") return "text" in block.resource ? block.resource.text : undefined
  if (block.type !== "resource_link") return undefined
  const link = `${block.title ?? block.name}: ${block.uri}`
  return block.description === undefined ? link : `${link}\n${block.description}`
}

const nameOf = (block: McpSchema.ContentBlock): string => {
  if (block.type === "image") return `a picture (${block.mimeType})`
  if (block.type === "audio") return `a recording (${block.mimeType})`
  return block.type === "resource" ? `the data of ${block.resource.uri}` : block.type
}
