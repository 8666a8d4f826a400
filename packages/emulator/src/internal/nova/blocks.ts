/**
 * Content blocks of the server: each one starts, has one content, and ends.
 */
import * as Base64 from "../audio/base64.ts"
import type { Step } from "./step.ts"

export type StopReason = "PARTIAL_TURN" | "END_TURN" | "INTERRUPTED" | "TOOL_USE"

/** Planned text, or text that was spoken. */
export type Stage = "SPECULATIVE" | "FINAL"

const stageOf = (generationStage: Stage) => ({ additionalModelFields: JSON.stringify({ generationStage }) })

/** Text in a block of its own. */
export const sendText = (
  step: Step,
  role: "USER" | "ASSISTANT",
  stage: Stage,
  content: string,
  stopReason: StopReason
): void => {
  const contentId = step.id()
  step.send("contentStart", {
    contentId,
    type: "TEXT",
    role,
    ...stageOf(stage),
    textOutputConfiguration: { mediaType: "text/plain" }
  })
  step.send("textOutput", { contentId, role, content })
  step.send("contentEnd", { contentId, type: "TEXT", stopReason })
}

/** Starts a block of audio. Returns its id. */
export const openAudio = (step: Step): string => {
  const contentId = step.id()
  step.send("contentStart", {
    contentId,
    type: "AUDIO",
    role: "ASSISTANT",
    audioOutputConfiguration: {
      mediaType: "audio/lpcm",
      sampleRateHertz: step.state.prompt!.sampleRate,
      sampleSizeBits: 16,
      channelCount: 1,
      encoding: "base64"
    }
  })
  return contentId
}

export const sendAudio = (step: Step, contentId: string, bytes: Uint8Array): void =>
  step.send("audioOutput", { contentId, content: Base64.encode(bytes) })

export const closeAudio = (step: Step, contentId: string, stopReason: StopReason): void =>
  step.send("contentEnd", { contentId, type: "AUDIO", stopReason })

/** A call of a tool in a block of its own. */
export const sendToolUse = (step: Step, toolUseId: string, toolName: string, content: string): void => {
  const contentId = step.id()
  step.send("contentStart", {
    contentId,
    type: "TOOL",
    role: "TOOL",
    toolUseOutputConfiguration: { mediaType: "application/json" }
  })
  step.send("toolUse", { contentId, toolName, toolUseId, content })
  step.send("contentEnd", { contentId, type: "TOOL", stopReason: "TOOL_USE" })
}
