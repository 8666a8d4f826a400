/**
 * The session we ask for, as the SDK writes it into the first frame.
 */
import { given, wrong, type WrongOption } from "@effect-bidi/core/adapter/BidiAdapter"
import type { Setup, ToolDefinition } from "@effect-bidi/core/BidiModel"
import {
  ActivityHandling,
  type AudioTranscriptionConfig,
  type AutomaticActivityDetection,
  Behavior,
  EndSensitivity,
  type FunctionDeclaration,
  type HistoryConfig,
  type LiveConnectConfig,
  MediaResolution,
  Modality,
  type RealtimeInputConfig,
  type SpeechConfig,
  StartSensitivity,
  type ThinkingConfig,
  ThinkingLevel,
  TurnCoverage
} from "@google/genai"
import * as Duration from "effect/Duration"
import { parametersOf, problemOf } from "./jsonSchema.ts"
import type { Settings } from "./settings.ts"

/** What has no value is left to the provider. */
export const build = (settings: Settings, setup: Setup): LiveConnectConfig => ({
  responseModalities: [Modality.AUDIO],
  ...given("temperature", settings.temperature),
  ...given("topP", settings.topP),
  ...given("topK", settings.topK),
  ...given("maxOutputTokens", settings.maxOutputTokens),
  ...given("mediaResolution", settings.mediaResolution && resolutions[settings.mediaResolution]),
  ...given("speechConfig", speech(settings)),
  ...given("thinkingConfig", thinking(settings)),
  ...given("enableAffectiveDialog", settings.affectiveDialog),
  ...given("systemInstruction", setup.instructions),
  ...(setup.tools.length === 0
    ? {}
    : { tools: [{ functionDeclarations: setup.tools.map((tool) => declaration(settings, tool)) }] }),
  // without a handle the key must be absent: `null` is refused
  sessionResumption: { ...given("handle", setup.resume) },
  ...given("contextWindowCompression", compression(settings.compression)),
  ...given("inputAudioTranscription", transcription(settings.inputTranscription)),
  ...(settings.outputTranscription ? { outputAudioTranscription: {} } : {}),
  realtimeInputConfig: realtimeInput(settings),
  ...given("proactivity", proactivity(settings.proactivity))
})

/** What the SDK has no field for: that the first content of a new session is the talk so far. */
export const historyOf = ({ features }: Settings, setup: Setup): HistoryConfig | undefined =>
  setup.resume === undefined && features.seed === "history" ? { initialHistoryInClientContent: true } : undefined

/** A tool that the provider would refuse, together with the whole session, or could only be told half of. */
export const undeclarable = (setup: Setup): WrongOption | undefined => unnameable(setup) ?? undescribable(setup)

const undescribable = ({ tools }: Setup): WrongOption | undefined => {
  for (const { name, parameters } of tools) {
    const problem = problemOf(parameters)
    if (problem !== undefined) return wrong(`tools.${name}.parameters`, problem)
  }
  return undefined
}

export const unnameable = ({ tools }: Setup): WrongOption | undefined => {
  const tool = tools.find(({ name }) => !/^[a-zA-Z_][\w.:-]{0,127}$/.test(name))
  if (tool === undefined) return undefined
  const option = `tools.${tool.name}`
  return {
    option,
    message: `${option}: Expected a name of letters, digits, _ . : and -, that begins with a letter or _, up to 128`
  }
}

const resolutions = {
  low: MediaResolution.MEDIA_RESOLUTION_LOW,
  medium: MediaResolution.MEDIA_RESOLUTION_MEDIUM,
  high: MediaResolution.MEDIA_RESOLUTION_HIGH
}

const speech = ({ language, voice }: Settings): SpeechConfig | undefined =>
  language === undefined && voice === undefined
    ? undefined
    : {
        ...given("languageCode", language),
        ...(voice === undefined
          ? {}
          : { voiceConfig: { prebuiltVoiceConfig: { voiceName: typeof voice === "string" ? voice : voice.id } } })
      }

const levels = {
  minimal: ThinkingLevel.MINIMAL,
  low: ThinkingLevel.LOW,
  medium: ThinkingLevel.MEDIUM,
  high: ThinkingLevel.HIGH
}

const thinking = ({ features, thinking }: Settings): ThinkingConfig | undefined => {
  const thoughts = thinking?.thoughts === true ? { includeThoughts: true } : undefined
  if (thinking?.budget !== undefined) return { thinkingBudget: thinking.budget, ...thoughts }
  const level = thinking?.level ?? features.level
  return level === undefined ? thoughts : { thinkingLevel: levels[level], ...thoughts }
}

const declaration = (
  { behavior }: Settings,
  { description, name, parameters }: ToolDefinition
): FunctionDeclaration => ({
  name,
  ...given("description", description),
  ...given("parametersJsonSchema", parametersOf(parameters)),
  ...(behavior === undefined ? {} : { behavior: behavior === "blocking" ? Behavior.BLOCKING : Behavior.NON_BLOCKING })
})

const compression = (compression: Settings["compression"]): LiveConnectConfig["contextWindowCompression"] => {
  if (compression === false) return undefined
  const { targetTokens, triggerTokens } = compression
  return {
    // 64 bits wide on the wire, hence text
    ...given("triggerTokens", triggerTokens?.toString()),
    slidingWindow: { ...given("targetTokens", targetTokens?.toString()) }
  }
}

const transcription = (hints: Settings["inputTranscription"]): AudioTranscriptionConfig | undefined =>
  hints && {
    ...given("languageCodes", hints.languages && [...hints.languages]),
    ...given("customVocabulary", hints.vocabulary && [...hints.vocabulary])
  }

const coverages = {
  activity: TurnCoverage.TURN_INCLUDES_ONLY_ACTIVITY,
  all: TurnCoverage.TURN_INCLUDES_ALL_INPUT,
  activity_and_video: TurnCoverage.TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO
}

const realtimeInput = ({ turnCoverage, turnDetection }: Settings): RealtimeInputConfig => {
  const detection = turnDetection === "manual" ? { disabled: true } : automatic(turnDetection)
  return {
    // said also where all of it is the default: sessions of 3.8 that said nothing were seen to hear nothing
    automaticActivityDetection: detection,
    ...(turnDetection !== "manual" && turnDetection.interruptResponse === false
      ? { activityHandling: ActivityHandling.NO_INTERRUPTION }
      : {}),
    ...given("turnCoverage", turnCoverage && coverages[turnCoverage])
  }
}

const automatic = (detection: Exclude<Settings["turnDetection"], "manual">): AutomaticActivityDetection => {
  const { endSensitivity, prefixPadding, silence, startSensitivity } = detection
  return {
    disabled: false,
    ...given("startOfSpeechSensitivity", startSensitivity && starts[startSensitivity]),
    ...given("endOfSpeechSensitivity", endSensitivity && ends[endSensitivity]),
    ...given("prefixPaddingMs", millis(prefixPadding)),
    ...given("silenceDurationMs", millis(silence))
  }
}

const starts = { low: StartSensitivity.START_SENSITIVITY_LOW, high: StartSensitivity.START_SENSITIVITY_HIGH }
const ends = { low: EndSensitivity.END_SENSITIVITY_LOW, high: EndSensitivity.END_SENSITIVITY_HIGH }

const millis = (time: Duration.Input | undefined): number | undefined =>
  time === undefined ? undefined : Math.round(Duration.toMillis(Duration.fromInputUnsafe(time)))

const proactivity = (proactivity: Settings["proactivity"]): LiveConnectConfig["proactivity"] =>
  proactivity && {
    proactiveAudio: proactivity.audio,
    ...given("proactiveVideo", proactivity.video)
  }
