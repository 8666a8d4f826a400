/**
 * The messages of a client and their fields.
 */
import { decimal, fields, flag, integer, isRecord, list, literals, record, Refused, refused, text } from "./check.ts"
import type { Check, Checked } from "./check.ts"
import { tools } from "./functions.ts"

/** 64-bit numbers may be strings. */
const long: Check<string | number> = (value, path) =>
  typeof value === "string" ? text(value, path) : integer(0)(value, path)

const blob = fields({ data: text, mimeType: text }, { displayName: text })

const part = fields(
  {},
  {
    text,
    thought: flag,
    thoughtSignature: text,
    inlineData: blob,
    fileData: record,
    functionCall: record,
    functionResponse: record,
    executableCode: record,
    codeExecutionResult: record,
    videoMetadata: record
  }
)

const content = fields({}, { role: text, parts: list(part) })

/** One entry of a conversation. */
export type Content = Checked<typeof content>

const transcription = fields(
  {},
  {
    languageCodes: list(text),
    languageAuto: record,
    languageHints: record,
    customVocabulary: list(text),
    adaptationPhrases: list(text),
    wordTimestamp: flag,
    diarization: flag,
    mode: text,
    sourceText: text
  }
)

const voiceConfig = fields(
  {},
  { prebuiltVoiceConfig: fields({}, { voiceName: text }), replicatedVoiceConfig: record, voice: text }
)

const generationConfig = fields(
  {},
  {
    responseModalities: list(literals("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO")),
    temperature: decimal(0, 2),
    topP: decimal(0, 1),
    topK: decimal(0, Number.MAX_SAFE_INTEGER),
    seed: integer(Number.MIN_SAFE_INTEGER),
    candidateCount: integer(1, 1),
    maxOutputTokens: integer(1),
    presencePenalty: decimal(-2, 2),
    frequencyPenalty: decimal(-2, 2),
    mediaResolution: literals(
      "MEDIA_RESOLUTION_UNSPECIFIED",
      "MEDIA_RESOLUTION_LOW",
      "MEDIA_RESOLUTION_MEDIUM",
      "MEDIA_RESOLUTION_HIGH"
    ),
    speechConfig: fields({}, { voiceConfig, languageCode: text }),
    enableAffectiveDialog: flag,
    translationConfig: record,
    thinkingConfig: fields(
      {},
      {
        includeThoughts: flag,
        thinkingBudget: integer(-1),
        thinkingLevel: literals("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH")
      }
    )
  }
)

const realtimeInputConfig = fields(
  {},
  {
    automaticActivityDetection: fields(
      {},
      {
        disabled: flag,
        startOfSpeechSensitivity: literals(
          "START_SENSITIVITY_UNSPECIFIED",
          "START_SENSITIVITY_HIGH",
          "START_SENSITIVITY_LOW"
        ),
        endOfSpeechSensitivity: literals("END_SENSITIVITY_UNSPECIFIED", "END_SENSITIVITY_HIGH", "END_SENSITIVITY_LOW"),
        prefixPaddingMs: integer(0),
        silenceDurationMs: integer(0)
      }
    ),
    activityHandling: literals("ACTIVITY_HANDLING_UNSPECIFIED", "START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"),
    turnCoverage: literals(
      "TURN_COVERAGE_UNSPECIFIED",
      "TURN_INCLUDES_ONLY_ACTIVITY",
      "TURN_INCLUDES_ALL_INPUT",
      "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"
    ),
    interimTranscriptTimestampEnabled: flag
  }
)

interface Resumption {
  readonly handle?: string | null
}

/** Here `null` differs from a missing field: one family of models refuses it. */
const sessionResumption: Check<Resumption> = (value, path) => {
  if (isRecord(value) && value.handle === null) return { handle: null }
  return fields({}, { handle: text })(value, path)
}

const setup = fields(
  { model: text },
  {
    generationConfig,
    systemInstruction: content,
    tools,
    realtimeInputConfig,
    sessionResumption,
    contextWindowCompression: fields({}, { triggerTokens: long, slidingWindow: fields({}, { targetTokens: long }) }),
    inputAudioTranscription: transcription,
    outputAudioTranscription: transcription,
    proactivity: fields({}, { proactiveAudio: flag, proactiveVideo: flag }),
    historyConfig: fields({}, { initialHistoryInClientContent: flag }),
    avatarConfig: record,
    safetySettings: list(record),
    labels: record
  }
)

/** The first message of a session. */
export type Setup = Checked<typeof setup>

const functionResponse = fields(
  { id: text, name: text, response: record },
  {
    parts: list(record),
    scheduling: literals("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"),
    willContinue: flag
  }
)

export type FunctionResponse = Checked<typeof functionResponse>

const messages = {
  setup,
  clientContent: fields({}, { turns: list(content), turnComplete: flag }),
  realtimeInput: fields(
    {},
    {
      audio: blob,
      video: blob,
      text,
      mediaChunks: list(blob),
      audioStreamEnd: flag,
      activityStart: fields({}, {}),
      activityEnd: fields({}, {})
    }
  ),
  toolResponse: fields({ functionResponses: list(functionResponse) }, {}),
  contextUpdate: fields({}, { systemInstruction: content, tools: fields({}, { tools }) })
}

type Messages = typeof messages

export type ClientContent = Checked<Messages["clientContent"]>
export type RealtimeInput = Checked<Messages["realtimeInput"]>
export type ToolResponse = Checked<Messages["toolResponse"]>
export type ContextUpdate = Checked<Messages["contextUpdate"]>

const any = fields({}, messages)

export type ClientMessage = Checked<typeof any>

/** A message of a client. It has exactly one field. */
export const clientMessage = (json: unknown): ClientMessage | Refused => {
  const checked = any(json, "")
  if (checked instanceof Refused) return checked
  const kinds = Object.keys(checked)
  return kinds.length === 1 ? checked : refused(`A message holds one of ${Object.keys(messages).join(", ")}.`)
}
