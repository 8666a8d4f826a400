/**
 * The session we ask for, and whether it is the one we got.
 */
import { given } from "@effect-bidi/core/adapter/BidiAdapter"
import type { AudioFormat } from "@effect-bidi/core/Audio"
import type { Profile, Setup, ToolDefinition } from "@effect-bidi/core/BidiModel"
import * as Duration from "effect/Duration"
import type {
  RealtimeAudioConfigInput,
  RealtimeAudioFormats,
  RealtimeSessionCreateRequest
} from "openai/resources/realtime/realtime"
import { type Fields, isFields } from "@effect-bidi/core/adapter/Json"
import { type Settings, TRANSCRIPTION_MODEL } from "./settings.ts"

export type Asked = RealtimeSessionCreateRequest

type TurnDetection = NonNullable<RealtimeAudioConfigInput["turn_detection"]>

/** The session of `session.update`. What has no value is left to the provider. */
export const build = (settings: Settings, setup: Setup): Asked => ({
  type: "realtime",
  output_modalities: [settings.modality],
  ...given("instructions", setup.instructions),
  tools: setup.tools.map(tool),
  tool_choice: toolChoice(settings.toolChoice),
  ...given("parallel_tool_calls", settings.parallelToolCalls),
  ...given("max_output_tokens", settings.maxOutputTokens),
  ...(settings.reasoningEffort === undefined ? {} : { reasoning: { effort: settings.reasoningEffort } }),
  ...given("truncation", truncation(settings.truncation)),
  audio: {
    input: {
      format: formatOf(settings.input),
      turn_detection: turnDetection(settings.turnDetection),
      transcription: transcription(settings.transcription),
      ...given(
        "noise_reduction",
        typeof settings.noiseReduction === "string" ? { type: settings.noiseReduction } : settings.noiseReduction
      )
    } as RealtimeAudioConfigInput,
    output: {
      format: formatOf(settings.output),
      voice: settings.voice,
      ...given("speed", settings.speed)
    }
  }
})

/** The change of a session that goes on. No instructions are none, not the ones of before. */
export const update = ({ instructions: system, tools }: Profile): Asked => ({
  type: "realtime",
  instructions: system ?? "",
  tools: tools.map(tool)
})

const tool = ({ description, name, parameters }: ToolDefinition) =>
  ({ type: "function", name, ...given("description", description), parameters }) as const

const formatOf = ({ encoding: format }: AudioFormat): RealtimeAudioFormats =>
  format === "pcm" ? { type: "audio/pcm", rate: 24_000 } : { type: `audio/${format}` }

const toolChoice = (choice: Settings["toolChoice"] = "auto") =>
  typeof choice === "string" ? choice : ({ type: "function", name: choice.tool } as const)

const truncation = (truncation: Settings["truncation"]) => {
  if (truncation === undefined || typeof truncation === "string") return truncation
  const { postInstructions, retentionRatio } = truncation
  return {
    type: "retention_ratio" as const,
    retention_ratio: retentionRatio,
    ...(postInstructions === undefined ? {} : { token_limits: { post_instructions: postInstructions } })
  }
}

const turnDetection = (detection: Settings["turnDetection"]): TurnDetection | null => {
  if (detection === "manual") return null
  const { createResponse, interruptResponse } = detection
  const responses = {
    ...given("create_response", createResponse),
    ...given("interrupt_response", interruptResponse)
  }
  if (detection.type === "semantic_vad") {
    return { type: "semantic_vad", ...given("eagerness", detection.eagerness), ...responses }
  }
  return {
    type: "server_vad",
    ...given("threshold", detection.threshold),
    ...given("prefix_padding_ms", millis(detection.prefixPadding)),
    ...given("silence_duration_ms", millis(detection.silence)),
    ...given("idle_timeout_ms", millis(detection.idleTimeout)),
    ...responses
  }
}

const millis = (time: Duration.Input | undefined): number | undefined =>
  time === undefined ? undefined : Math.round(Duration.toMillis(Duration.fromInputUnsafe(time)))

// the SDK has no `null` here, the wire does
const transcription = (transcription: Settings["transcription"]) =>
  transcription === false ? null : { model: TRANSCRIPTION_MODEL, ...transcription }

// ---------------------------------------------------------------------------------------------------------------------
// asked and confirmed
// ---------------------------------------------------------------------------------------------------------------------

/** A setting that the provider confirmed with another value than the one asked for. */
export interface Difference {
  readonly path: string
  readonly asked: unknown
  readonly confirmed: unknown
}

/**
 * The first setting that was changed. Only what was asked for is compared; what the confirmation does not mention
 * counts as accepted, because an option the provider does not know is answered with an error, not with silence.
 */
export const difference = (asked: Asked, model: string, confirmed: Fields): Difference | undefined => {
  if (!isModel(model, confirmed.model)) return { path: "model", asked: model, confirmed: confirmed.model }
  return compare("", asked, confirmed)
}

const compare = (path: string, asked: unknown, confirmed: unknown): Difference | undefined => {
  if (confirmed === undefined || isSame(path, asked, confirmed)) return undefined
  if (!isFields(asked) || !isFields(confirmed)) return { path, asked, confirmed }
  for (const key of Object.keys(asked)) {
    const found = compare(path === "" ? key : `${path}.${key}`, asked[key], confirmed[key])
    if (found !== undefined) return found
  }
  return undefined
}

const isSame = (path: string, asked: unknown, confirmed: unknown): boolean => {
  if (asked === confirmed) return true
  if (typeof asked === "number" && typeof confirmed === "number") return Math.abs(asked - confirmed) <= 1e-4
  switch (path) {
    // schemas and descriptions are the provider's to tidy up, names are not
    case "tools":
      return sameList(names(asked), names(confirmed))
    case "instructions":
    case "audio.input.transcription.prompt":
      return trimmed(asked) === trimmed(confirmed)
    // `auto` is another name for `medium`
    case "audio.input.turn_detection.eagerness":
      return [asked, confirmed].every((value) => value === "auto" || value === "medium")
    case "audio.output.voice":
      return idOf(asked) === idOf(confirmed)
    default:
      return Array.isArray(asked) && Array.isArray(confirmed) && sameList(asked, confirmed)
  }
}

const sameList = (one: ReadonlyArray<unknown>, other: ReadonlyArray<unknown>): boolean =>
  one.length === other.length && one.every((value) => other.includes(value))

const names = (tools: unknown): ReadonlyArray<unknown> =>
  Array.isArray(tools) ? tools.map((tool) => (isFields(tool) ? tool.name : tool)) : [tools]

const trimmed = (text: unknown): unknown => (typeof text === "string" ? text.trim() : text === null ? "" : text)

const idOf = (voice: unknown): unknown => (isFields(voice) ? voice.id : voice)

// What the provider calls its models: a family, and the day of a snapshot (openai 7.57, `RealtimeSessionCreateRequest`).
const published =
  /^(gpt-realtime(-(mini|1\.5|2|2\.1|2\.1-mini))?|gpt-4o(-mini)?-realtime-preview|gpt-audio(-1\.5|-mini))(-\d{4}-\d\d-\d\d)?$/

// A model answers under the name of its snapshot, behind a router with a provider's name before it. Any other name is that of
// a deployment, or an alias of a router.
const isModel = (asked: string, confirmed: unknown): boolean => {
  if (typeof confirmed !== "string" || !published.test(asked)) return true
  const own = confirmed.slice(confirmed.lastIndexOf("/") + 1)
  return own === asked || own.startsWith(`${asked}-20`)
}
