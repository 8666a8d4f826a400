/**
 * What is sent, event by event.
 */
import type { AudioFormat } from "@effect-bidi/core/Audio"
import type { Settings } from "./settings.ts"
import { pieces } from "./utf8.ts"
import type { DeclaredTool } from "./toolSchema.ts"

/** One event of ours. */
export type InputEvent = Readonly<Record<string, unknown>>

/** Bytes of text in one event. The provider takes 1 KB. */
const TEXT_EVENT_BYTES = 1000

const plain = { mediaType: "text/plain" }

export const sessionStart = ({ endpointing, inference }: Settings): InputEvent => ({
  sessionStart: {
    inferenceConfiguration: inference,
    ...(endpointing === undefined ? {} : { turnDetectionConfiguration: { endpointingSensitivity: endpointing } })
  }
})

export const promptStart = (
  promptName: string,
  settings: Settings,
  { tools }: { readonly tools: ReadonlyArray<DeclaredTool> }
): InputEvent => ({
  promptStart: {
    promptName,
    textOutputConfiguration: plain,
    audioOutputConfiguration: { ...lpcm(settings.output), voiceId: settings.voice },
    ...(tools.length === 0
      ? {}
      : {
          toolUseOutputConfiguration: { mediaType: "application/json" },
          toolConfiguration: { tools: tools.map(toolSpec), ...toolChoice(settings.toolChoice) }
        })
  }
})

const lpcm = ({ sampleRate }: AudioFormat) => ({
  mediaType: "audio/lpcm",
  sampleRateHertz: sampleRate,
  sampleSizeBits: 16,
  channelCount: 1,
  audioType: "SPEECH",
  encoding: "base64"
})

const toolSpec = ({ description, name, parameters }: DeclaredTool) => ({
  toolSpec: {
    name,
    ...(description === undefined ? {} : { description }),
    inputSchema: { json: JSON.stringify(parameters) }
  }
})

const toolChoice = (choice: Settings["toolChoice"]) => {
  if (choice === undefined) return {}
  return { toolChoice: typeof choice === "string" ? { [choice]: {} } : { tool: { name: choice.tool } } }
}

/**
 * A block of text. Other events between its first and its last are refused, so it is sent in one piece. Interactive text
 * is answered; the rest is taken only before the first sound.
 */
export const textBlock = (
  promptName: string,
  contentName: string,
  role: "SYSTEM" | "USER" | "ASSISTANT",
  text: string,
  interactive: boolean
): ReadonlyArray<InputEvent> => [
  { contentStart: { promptName, contentName, type: "TEXT", interactive, role, textInputConfiguration: plain } },
  // the limit is that of the talk, not of the system prompt
  ...(role === "SYSTEM" ? [text] : pieces(text, TEXT_EVENT_BYTES)).map((content) => ({
    textInput: { promptName, contentName, content }
  })),
  contentEnd(promptName, contentName)
]

export const toolResult = (
  promptName: string,
  contentName: string,
  toolUseId: string,
  content: string
): ReadonlyArray<InputEvent> => [
  {
    contentStart: {
      promptName,
      contentName,
      type: "TOOL",
      interactive: false,
      role: "TOOL",
      toolResultInputConfiguration: { toolUseId, type: "TEXT", textInputConfiguration: plain }
    }
  },
  { toolResult: { promptName, contentName, content } },
  contentEnd(promptName, contentName)
]

export const audioStart = (promptName: string, contentName: string, input: AudioFormat): InputEvent => ({
  contentStart: {
    promptName,
    contentName,
    type: "AUDIO",
    interactive: true,
    role: "USER",
    audioInputConfiguration: lpcm(input)
  }
})

export const contentEnd = (promptName: string, contentName: string): InputEvent => ({
  contentEnd: { promptName, contentName }
})

export const promptEnd = (promptName: string): InputEvent => ({ promptEnd: { promptName } })

export const sessionEnd: InputEvent = { sessionEnd: {} }
