import { assert, describe, it } from "@effect/vitest"
import type { ToolDefinition } from "@effect-bidi/core/BidiModel"
import { build, difference } from "../src/internal/session.ts"
import { resolve } from "../src/internal/settings.ts"
import type { Options } from "../src/Options.ts"
import { session } from "./fixtures/frames.ts"

const weather: ToolDefinition = {
  name: "weather",
  description: "The weather of a city.",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
}

const ask = (options: Options = {}, setup: { system?: string; tools?: ReadonlyArray<ToolDefinition> } = {}): any =>
  build(resolve(options), {
    instructions: setup.system,
    tools: setup.tools ?? [],
    resume: undefined
  })

const pcm = { type: "audio/pcm", rate: 24_000 }

describe("the session that is asked for", () => {
  it("has our defaults, and no instructions of ours", () => {
    assert.deepStrictEqual(ask(), {
      type: "realtime",
      output_modalities: ["audio"],
      tools: [],
      tool_choice: "auto",
      audio: {
        input: { format: pcm, turn_detection: { type: "server_vad" }, transcription: { model: "gpt-transcribe" } },
        output: { format: pcm, voice: "marin" }
      }
    })
  })

  it("has the instructions and the tools of the agent", () => {
    const { instructions, tools } = ask(
      {},
      { system: "You are Ada.", tools: [weather, { ...weather, description: undefined }] }
    )
    const { description, ...plain } = { type: "function", ...weather }
    assert.strictEqual(instructions, "You are Ada.")
    assert.deepStrictEqual(tools, [{ ...plain, description }, plain])
  })

  it.each<readonly [Options, object]>([
    [{ modality: "text" }, { output_modalities: ["text"] }],
    [{ maxOutputTokens: 100 }, { max_output_tokens: 100 }],
    [{ maxOutputTokens: "inf" }, { max_output_tokens: "inf" }],
    [{ reasoningEffort: "low" }, { reasoning: { effort: "low" } }],
    [{ parallelToolCalls: false }, { parallel_tool_calls: false }],
    [{ toolChoice: "required" }, { tool_choice: "required" }],
    [{ toolChoice: { tool: "weather" } }, { tool_choice: { type: "function", name: "weather" } }],
    [{ truncation: "disabled" }, { truncation: "disabled" }],
    [{ truncation: { retentionRatio: 0.8 } }, { truncation: { type: "retention_ratio", retention_ratio: 0.8 } }],
    [
      { truncation: { retentionRatio: 0.8, postInstructions: 5000 } },
      { truncation: { type: "retention_ratio", retention_ratio: 0.8, token_limits: { post_instructions: 5000 } } }
    ]
  ])("has %j", (options, expected) => {
    assert.deepStrictEqual(pick(ask(options), expected), expected)
  })

  it.each<readonly [Options, object]>([
    [{ input: { encoding: "pcmu", sampleRate: 8000, channels: 1 } }, { format: { type: "audio/pcmu" } }],
    [{ transcription: false }, { transcription: null }],
    [
      { transcription: { language: "de", keywords: ["Bern"], languages: ["de"], prompt: "Hm" } },
      {
        transcription: { model: "gpt-transcribe", language: "de", keywords: ["Bern"], languages: ["de"], prompt: "Hm" }
      }
    ],
    [{ noiseReduction: "far_field" }, { noise_reduction: { type: "far_field" } }],
    [
      { noiseReduction: { type: "near_field", strength: 0.5 } },
      { noise_reduction: { type: "near_field", strength: 0.5 } }
    ],
    [{ turnDetection: "manual" }, { turn_detection: null }],
    [
      {
        turnDetection: {
          type: "server_vad",
          threshold: 0.7,
          prefixPadding: "100 millis",
          silence: "1 second",
          idleTimeout: 6000,
          createResponse: false,
          interruptResponse: false
        }
      },
      {
        turn_detection: {
          type: "server_vad",
          threshold: 0.7,
          prefix_padding_ms: 100,
          silence_duration_ms: 1000,
          idle_timeout_ms: 6000,
          create_response: false,
          interrupt_response: false
        }
      }
    ],
    [
      { turnDetection: { type: "semantic_vad", eagerness: "low", createResponse: true } },
      { turn_detection: { type: "semantic_vad", eagerness: "low", create_response: true } }
    ]
  ])("hears with %j", (options, expected) => {
    assert.deepStrictEqual(pick(ask(options).audio.input, expected), expected)
  })

  it.each<readonly [Options, object]>([
    [{ output: { encoding: "pcma", sampleRate: 8000, channels: 1 } }, { format: { type: "audio/pcma" } }],
    [{ voice: { id: "voice_1" } }, { voice: { id: "voice_1" } }],
    [{ speed: 1.2 }, { speed: 1.2 }]
  ])("speaks with %j", (options, expected) => {
    assert.deepStrictEqual(pick(ask(options).audio.output, expected), expected)
  })

  const pick = (from: any, like: object) => Object.fromEntries(Object.keys(like).map((key) => [key, from[key]]))
})

describe("the session that is confirmed", () => {
  const check = (options: Options, confirmed: object, setup?: Parameters<typeof ask>[1]) => {
    const found = difference(ask(options, setup), options.model ?? "gpt-realtime-2.1", confirmed as never)
    return found && [found.path, found.asked, found.confirmed]
  }
  const input = (fields: object) => ({
    ...session,
    audio: { ...session.audio, input: { ...session.audio.input, ...fields } }
  })
  const output = (fields: object) => ({
    ...session,
    audio: { ...session.audio, output: { ...session.audio.output, ...fields } }
  })
  const vad = (fields: object) => input({ turn_detection: { ...session.audio.input.turn_detection, ...fields } })

  type Row = readonly [string, Options, object, Parameters<typeof ask>[1]?]

  const allowed: ReadonlyArray<Row> = [
    ["what the provider adds", {}, session],
    ["a snapshot of the model", { model: "gpt-realtime-2.1" }, { ...session, model: "gpt-realtime-2.1-2026-06-30" }],
    ["another name of a proxy's model", { model: "voice-large" }, session],
    ["a deployment's name that sounds like the provider's", { model: "gpt-realtime-prod" }, session],
    ["an alias of a router", { model: "gpt-voice" }, { ...session, model: "gpt-realtime" }],
    ["a router that says whose model it is", { model: "gpt-realtime" }, { ...session, model: "openai/gpt-realtime" }],
    ["numbers that are a little off", { speed: 1.1 }, output({ speed: 1.100000023841858 })],
    [
      "the other name of the default",
      { turnDetection: { type: "semantic_vad", eagerness: "auto" } },
      input({ turn_detection: { type: "semantic_vad", eagerness: "medium" } })
    ],
    ["a voice by its id", { voice: { id: "voice_1" } }, output({ voice: "voice_1" })],
    ["spaces", {}, { ...session, instructions: "You are Ada." }, { system: "You are Ada.\n" }],
    ["an empty prompt that is none", { transcription: { prompt: "" } }, session],
    [
      "tools that were tidied up",
      {},
      { ...session, tools: [{ type: "function", name: "weather", strict: false }] },
      { tools: [weather] }
    ],
    ["what it does not mention", { reasoningEffort: "low", speed: 1.2 }, { id: "sess_1", audio: {} }],
    [
      "lists in another order",
      { transcription: { languages: ["de", "fr"] } },
      input({ transcription: { model: "gpt-transcribe", languages: ["fr", "de"] } })
    ]
  ]
  for (const [name, options, confirmed, setup] of allowed) {
    it(`may have ${name}`, () => {
      assert.isUndefined(check(options, confirmed, setup))
    })
  }

  const changed: ReadonlyArray<Row> = [
    ["model", {}, { ...session, model: "gpt-realtime-2.1mini" }],
    ["output_modalities", { modality: "text" }, session],
    ["instructions", {}, session, { system: "You are Ada." }],
    ["instructions", {}, { ...session, instructions: null }, { system: "You are Ada." }],
    ["tools", {}, session, { tools: [weather] }],
    ["tool_choice", { toolChoice: "required" }, session],
    [
      "tool_choice.name",
      { toolChoice: { tool: "weather" } },
      { ...session, tool_choice: { type: "function", name: "time" } }
    ],
    ["max_output_tokens", { maxOutputTokens: 100 }, { ...session, max_output_tokens: 4096 }],
    ["parallel_tool_calls", { parallelToolCalls: false }, session],
    ["reasoning", { reasoningEffort: "low" }, { ...session, reasoning: null }],
    ["reasoning.effort", { reasoningEffort: "low" }, { ...session, reasoning: { effort: "high" } }],
    ["truncation", { truncation: "disabled" }, session],
    ["audio.input.format.type", { input: { encoding: "pcmu", sampleRate: 8000, channels: 1 } }, session],
    ["audio.input.format.rate", {}, input({ format: { type: "audio/pcm", rate: 16_000 } })],
    ["audio.input.transcription", { transcription: false }, session],
    ["audio.input.transcription", {}, input({ transcription: null })],
    ["audio.input.transcription.language", { transcription: { language: "de" } }, session],
    ["audio.input.noise_reduction", { noiseReduction: "near_field" }, session],
    ["audio.input.turn_detection", { turnDetection: "manual" }, session],
    ["audio.input.turn_detection", {}, input({ turn_detection: null })],
    ["audio.input.turn_detection.type", { turnDetection: { type: "semantic_vad" } }, session],
    ["audio.input.turn_detection.threshold", { turnDetection: { type: "server_vad", threshold: 0.9 } }, session],
    [
      "audio.input.turn_detection.silence_duration_ms",
      { turnDetection: { type: "server_vad", silence: 501 } },
      vad({})
    ],
    [
      "audio.input.turn_detection.create_response",
      { turnDetection: { type: "server_vad", createResponse: false } },
      vad({})
    ],
    ["audio.output.voice", {}, output({ voice: "alloy" })],
    ["audio.output.voice.id", { voice: { id: "voice_1" } }, output({ voice: { id: "voice_2" } })],
    ["audio.output.speed", { speed: 1.2 }, session],
    ["audio.output.format.type", {}, output({ format: { type: "audio/pcmu" } })]
  ]
  for (const [path, options, confirmed, setup] of changed) {
    it(`must not have another ${path}: ${JSON.stringify(options)}`, () => {
      assert.strictEqual(check(options, confirmed, setup)?.[0], path)
    })
  }

  it("tells both values", () => {
    assert.deepStrictEqual(check({ speed: 1.2 }, session), ["audio.output.speed", 1.2, 1])
  })
})
