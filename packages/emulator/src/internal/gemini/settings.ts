/**
 * The settings of a session.
 */
import type { Config as VadConfig } from "../audio/vad.ts"
import { invalid, Refused, refused } from "./check.ts"
import { familyOf } from "./family.ts"
import type { Coverage, Family } from "./family.ts"
import { declaredIn } from "./functions.ts"
import type { Declared } from "./functions.ts"
import type { Content, Setup } from "./protocol.ts"

export interface Settings {
  /** Without the prefix `models/`. */
  readonly model: string
  readonly family: Family
  readonly system: string
  readonly functions: ReadonlyArray<Declared>
  readonly voice: string
  readonly maxTokens: number
  readonly hasThoughts: boolean
  /** Voice activity detection; `undefined` when the client reports activity itself. */
  readonly vad: VadConfig | undefined
  readonly interrupts: boolean
  readonly coverage: Coverage
  readonly transcribesInput: boolean
  readonly transcribesOutput: boolean
  readonly isResumable: boolean
  readonly handle: string | undefined
  readonly compresses: boolean
  /** The first `clientContent` messages are history, up to the one that is complete. */
  readonly expectsHistory: boolean
}

const voices = new Set(
  (
    "Zephyr Kore Orus Autonoe Umbriel Erinome Laomedeia Schedar Achird Sadachbia Puck Fenrir Aoede Enceladus Algieba " +
    "Algenib Achernar Gacrux Zubenelgenubi Sadaltager Charon Leda Callirrhoe Iapetus Despina Rasalgethi Alnilam " +
    "Pulcherrima Vindemiatrix Sulafat"
  ).split(" ")
)

/** The name of the model without its prefix. */
export const modelOf = (name: string): string => name.replace(/^models\//, "")

/** All text of the parts, a paragraph each. */
export const textOf = (content: Content | undefined): string =>
  (content?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n\n")

type Detection = NonNullable<NonNullable<Setup["realtimeInputConfig"]>["automaticActivityDetection"]>

const vadOf = (detection: Detection | undefined): VadConfig | undefined =>
  detection?.disabled === true
    ? undefined
    : {
        threshold: detection?.startOfSpeechSensitivity === "START_SENSITIVITY_LOW" ? 0.8 : 0.5,
        prefixPaddingMs: detection?.prefixPaddingMs ?? 300,
        silenceMs:
          detection?.silenceDurationMs ?? (detection?.endOfSpeechSensitivity === "END_SENSITIVITY_LOW" ? 1000 : 500)
      }

/** What this family of models does not support. */
const against = (setup: Setup, model: string, family: Family): Refused | undefined => {
  const { enableAffectiveDialog, responseModalities, thinkingConfig } = setup.generationConfig ?? {}
  if (responseModalities !== undefined && responseModalities.some((modality) => modality !== "AUDIO")) {
    return refused(
      `The requested combination of response modalities (${responseModalities.join(", ")}) is not supported by the model. models/${model} accepts the following combination of response modalities:\n* AUDIO\n`
    )
  }
  const { thinkingBudget, thinkingLevel } = thinkingConfig ?? {}
  if (thinkingLevel !== undefined && family.thinking !== "thinkingLevel") {
    return refused("Thinking level is not supported for this model.")
  }
  if (thinkingBudget !== undefined && family.thinking !== "thinkingBudget") {
    return refused("Thinking budget is not supported for this model.")
  }
  if (family.mustThink && thinkingLevel === undefined) return refused("Thinking level is required for this model.")
  if (enableAffectiveDialog !== undefined && !family.hasAffectiveDialog) {
    return refused("Affective dialog is not supported for this model.")
  }
  const proactive = setup.proactivity?.proactiveAudio
  if (setup.proactivity !== undefined && family.proactivity === "none") {
    return refused("Proactivity is not supported for this model.")
  }
  if (proactive === false && family.proactivity === "always") {
    return refused("Proactive audio cannot be disabled for this model.")
  }
  if (setup.sessionResumption?.handle === null && family.refusesNullHandle) {
    return invalid("setup.sessionResumption.handle", "a string", null)
  }
  return undefined
}

/** The settings, or why the setup is refused. */
export const settingsOf = (setup: Setup): Settings | Refused => {
  const model = modelOf(setup.model)
  const family = familyOf(model)
  const problem = against(setup, model, family)
  if (problem !== undefined) return problem
  const voice = setup.generationConfig?.speechConfig?.voiceConfig?.prebuiltVoiceConfig?.voiceName ?? "Puck"
  if (!voices.has(voice))
    return refused(`Requested voice api_name '${voice}' is not available for model models/${model}`)
  const functions = declaredIn(setup.tools ?? [], family, "setup.tools")
  if (functions instanceof Refused) return functions
  const input = setup.realtimeInputConfig
  const coverage = input?.turnCoverage
  return {
    model,
    family,
    system: textOf(setup.systemInstruction),
    functions,
    voice,
    maxTokens: setup.generationConfig?.maxOutputTokens ?? Number.POSITIVE_INFINITY,
    hasThoughts: setup.generationConfig?.thinkingConfig?.includeThoughts === true,
    vad: vadOf(input?.automaticActivityDetection),
    interrupts: input?.activityHandling !== "NO_INTERRUPTION",
    coverage: coverage === undefined || coverage === "TURN_COVERAGE_UNSPECIFIED" ? family.coverage : coverage,
    transcribesInput: setup.inputAudioTranscription !== undefined,
    transcribesOutput: setup.outputAudioTranscription !== undefined,
    isResumable: setup.sessionResumption !== undefined,
    handle: setup.sessionResumption?.handle ?? undefined,
    compresses: setup.contextWindowCompression?.slidingWindow !== undefined,
    expectsHistory: setup.historyConfig?.initialHistoryInClientContent === true
  }
}
