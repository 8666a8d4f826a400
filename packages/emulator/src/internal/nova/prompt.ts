/**
 * The start of a stream: the session, and its only prompt.
 */
import type { ToolChoice } from "../../Prompt.ts"
import type { PromptStart, SessionStart } from "./protocol.ts"
import type { Step } from "./step.ts"
import { ofText } from "./usage.ts"

/** How long a pause ends a turn, in milliseconds. */
const pauses = { HIGH: 1500, MEDIUM: 1750, LOW: 2000 }

const voices = new Set(
  "matthew tiffany amy olivia kiara arjun ambre florian beatrice lorenzo tina lennart lupe carlos carolina leo".split(
    " "
  )
)

export const onSessionStart = (step: Step, event: SessionStart): void => {
  if (step.state.stage !== "new") return step.refuse("Session has already been started")
  const { inferenceConfiguration, turnDetectionConfiguration } = event
  step.set({
    stage: "started",
    maxTokens: inferenceConfiguration?.maxTokens ?? step.state.maxTokens,
    silenceMs: pauses[turnDetectionConfiguration?.endpointingSensitivity ?? "MEDIUM"]
  })
}

type Choice = NonNullable<NonNullable<PromptStart["toolConfiguration"]>["toolChoice"]>

const choiceOf = ({ any, tool }: Choice): ToolChoice =>
  tool !== undefined ? { name: tool.name } : any !== undefined ? "required" : "auto"

export const onPromptStart = (step: Step, event: PromptStart): void => {
  if (step.state.stage !== "started") return step.refuse("Prompt has already been started")
  const { audioOutputConfiguration, promptName, toolConfiguration } = event
  const { sampleRateHertz, voiceId } = audioOutputConfiguration
  if (!voices.has(voiceId)) return step.refuse(`Received invalid voiceId: ${voiceId}`)
  const specs = (toolConfiguration?.tools ?? []).map(({ toolSpec }) => toolSpec)
  if (specs.length > 0) step.count("input", ofText(JSON.stringify(specs)))
  step.set({
    stage: "prompt",
    prompt: {
      name: promptName,
      sampleRate: sampleRateHertz,
      voice: voiceId,
      tools: specs.map(({ description = "", inputSchema, name }) => ({
        name,
        description,
        parameters: inputSchema.json
      })),
      toolChoice: choiceOf(toolConfiguration?.toolChoice ?? {})
    }
  })
}
