/**
 * The configuration of a session: what it starts with, and what an update may change.
 */
import { Refused } from "./check.ts"
import type { AudioFormat, ResponseParams, SessionParams } from "./protocol.ts"

type Given<K extends keyof SessionParams> = NonNullable<SessionParams[K]>
type GivenInput = NonNullable<Given<"audio">["input"]>
type GivenOutput = NonNullable<Given<"audio">["output"]>

export interface ServerVad {
  readonly type: "server_vad"
  readonly threshold: number
  readonly prefix_padding_ms: number
  readonly silence_duration_ms: number
  readonly idle_timeout_ms: number | null
  readonly create_response: boolean
  readonly interrupt_response: boolean
}

export interface SemanticVad {
  readonly type: "semantic_vad"
  readonly eagerness: "low" | "medium" | "high" | "auto"
  readonly create_response: boolean
  readonly interrupt_response: boolean
}

/** The settings with every field, as `session.created` and `session.updated` show them. */
export interface Settings {
  readonly type: "realtime"
  readonly model: string
  readonly output_modalities: readonly ["audio"] | readonly ["text"]
  readonly instructions: string
  readonly tools: Given<"tools">
  readonly tool_choice: Given<"tool_choice">
  readonly parallel_tool_calls: boolean
  readonly max_output_tokens: number | "inf"
  readonly reasoning: Given<"reasoning"> | null
  readonly truncation: Given<"truncation">
  readonly prompt: Given<"prompt"> | null
  readonly tracing: Given<"tracing"> | null
  readonly include: Given<"include"> | null
  readonly audio: {
    readonly input: {
      readonly format: AudioFormat
      readonly transcription: NonNullable<GivenInput["transcription"]> | null
      readonly noise_reduction: NonNullable<GivenInput["noise_reduction"]> | null
      readonly turn_detection: ServerVad | SemanticVad | null
    }
    readonly output: {
      readonly format: AudioFormat
      readonly voice: NonNullable<GivenOutput["voice"]>
      readonly speed: number
    }
  }
}

const serverVad: ServerVad = {
  type: "server_vad",
  threshold: 0.5,
  prefix_padding_ms: 300,
  silence_duration_ms: 200,
  idle_timeout_ms: null,
  create_response: true,
  interrupt_response: true
}

const semanticVad: SemanticVad = {
  type: "semantic_vad",
  eagerness: "auto",
  create_response: true,
  interrupt_response: true
}

const pcm: AudioFormat = { type: "audio/pcm", rate: 24_000 }

/** What a session has before its first update. */
export const defaults = (model: string): Settings => ({
  type: "realtime",
  model,
  output_modalities: ["audio"],
  instructions: "",
  tools: [],
  tool_choice: "auto",
  parallel_tool_calls: true,
  max_output_tokens: "inf",
  reasoning: null,
  truncation: "auto",
  prompt: null,
  tracing: null,
  include: null,
  audio: {
    input: { format: pcm, transcription: null, noise_reduction: null, turn_detection: serverVad },
    output: { format: pcm, voice: "marin", speed: 1 }
  }
})

const formatOf = (format: AudioFormat): AudioFormat => (format.type === "audio/pcm" ? pcm : format)

/** The sample rate of a format, in Hz. */
export const rateOf = (format: AudioFormat): number => (format.type === "audio/pcm" ? 24_000 : 8000)

const turnDetection = (
  now: ServerVad | SemanticVad | null,
  next: GivenInput["turn_detection"]
): ServerVad | SemanticVad | null => {
  if (next === undefined) return now
  if (next === null) return null
  return next.type === "server_vad"
    ? { ...(now?.type === "server_vad" ? now : serverVad), ...next }
    : { ...(now?.type === "semantic_vad" ? now : semanticVad), ...next }
}

const noiseReduction = (now: Settings["audio"]["input"]["noise_reduction"], next: GivenInput["noise_reduction"]) =>
  next === undefined ? now : next === null ? null : { strength: 1, ...now, ...next }

const inputOf = (now: Settings["audio"]["input"], next: GivenInput | undefined): Settings["audio"]["input"] => ({
  format: next?.format === undefined ? now.format : formatOf(next.format),
  transcription:
    next?.transcription === undefined
      ? now.transcription
      : next.transcription && { model: "gpt-4o-mini-transcribe", language: null, prompt: null, ...next.transcription },
  noise_reduction: noiseReduction(now.noise_reduction, next?.noise_reduction),
  turn_detection: turnDetection(now.turn_detection, next?.turn_detection)
})

/** What an update depends on. */
export interface Past {
  /** Whether the session has audio of the assistant. */
  readonly hasSpoken: boolean
  readonly isResponding: boolean
}

/**
 * The settings after an update, or why it is refused. A refused update changes nothing, and fields that are not in
 * the update keep their values.
 */
export const update = (now: Settings, next: SessionParams, past: Past): Settings | Refused => {
  const { audio, model, type: _, ...plain } = next
  const output = audio?.output
  if (model !== undefined && model !== now.model) {
    return new Refused("cannot_update_model", "Cannot update a conversation's model.", "session.model")
  }
  if (
    output?.voice !== undefined &&
    past.hasSpoken &&
    JSON.stringify(output.voice) !== JSON.stringify(now.audio.output.voice)
  ) {
    return new Refused(
      "cannot_update_voice",
      "Cannot update a conversation's voice if assistant audio is present.",
      null
    )
  }
  if (output?.speed !== undefined && past.isResponding && output.speed !== now.audio.output.speed) {
    return new Refused(
      "cannot_update_speed",
      "Cannot update a conversation's speed while a response is in progress.",
      "session.audio.output.speed"
    )
  }
  const input = inputOf(now.audio.input, audio?.input)
  if (input.transcription?.model === "gpt-realtime-whisper" && input.turn_detection !== null) {
    return new Refused(
      "invalid_value",
      "Turn detection must be null with the transcription model 'gpt-realtime-whisper'.",
      "session.audio.input.turn_detection"
    )
  }
  return {
    ...now,
    ...plain,
    audio: {
      input,
      output: {
        ...now.audio.output,
        ...output,
        format: output?.format === undefined ? now.audio.output.format : formatOf(output.format)
      }
    }
  }
}

/** The settings of one response: those of the session, overridden by its `response.create`. */
export interface ResponseSettings {
  readonly modality: "audio" | "text"
  readonly tools: Settings["tools"]
  readonly toolChoice: Settings["tool_choice"]
  readonly parallelCalls: boolean
  readonly maxTokens: number | "inf"
  readonly format: AudioFormat
  readonly voice: Settings["audio"]["output"]["voice"]
  readonly speed: number
}

export const responseSettings = (settings: Settings, params: ResponseParams): ResponseSettings => ({
  modality: (params.output_modalities ?? settings.output_modalities)[0],
  tools: params.tools ?? settings.tools,
  toolChoice: params.tool_choice ?? settings.tool_choice,
  parallelCalls: params.parallel_tool_calls ?? settings.parallel_tool_calls,
  maxTokens: params.max_output_tokens ?? settings.max_output_tokens,
  format:
    params.audio?.output?.format === undefined ? settings.audio.output.format : formatOf(params.audio.output.format),
  voice: params.audio?.output?.voice ?? settings.audio.output.voice,
  speed: settings.audio.output.speed
})

/** How long a pause ends a turn, in milliseconds. `semantic_vad` only changes the pause: the emulator understands no meaning. */
export const silenceOf = (detection: ServerVad | SemanticVad): number =>
  detection.type === "server_vad"
    ? detection.silence_duration_ms
    : { low: 1200, medium: 600, auto: 600, high: 300 }[detection.eagerness]
