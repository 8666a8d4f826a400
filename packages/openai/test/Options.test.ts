import { assert, describe, it } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { OpenAiRealtime } from "../src/index.ts"
import { KEY } from "./support/protocol.ts"

const make = (options: object) => OpenAiRealtime.make({ apiKey: Redacted.make(KEY), ...options })

const whisper = { model: "gpt-realtime-whisper" }
const pcmu = { encoding: "pcmu", sampleRate: 8000, channels: 1 }

describe("options", () => {
  const wrong: ReadonlyArray<readonly [option: string, options: object]> = [
    ["temperature", { temperature: 0.8 }],
    ["instructions", { instructions: "Hi" }],
    ["model", { model: "" }],
    ["model", { model: 4 }],
    ["voice.id", { voice: {} }],
    ["voice.name", { voice: { id: "v", name: "x" } }],
    ["modality", { modality: "video" }],
    ["input.sampleRate", { input: Audio.pcm(16_000) }],
    ["input.sampleRate", { input: { ...pcmu, sampleRate: 24_000 } }],
    ["input.channels", { input: { ...pcmu, channels: 2 } }],
    ["output.sampleRate", { output: Audio.pcm(48_000) }],
    ["output.sampleRate", { output: { encoding: "pcma", sampleRate: 16_000, channels: 1 } }],
    ["output.encoding", { output: { encoding: "opus", sampleRate: 24_000, channels: 1 } }],
    ["output.bits", { output: { ...Audio.pcm(24_000), bits: 16 } }],
    ["turnDetection", { turnDetection: "off" }],
    ["turnDetection", { turnDetection: { type: "vad" } }],
    ["turnDetection.threshold", { turnDetection: { type: "server_vad", threshold: 1.5 } }],
    ["turnDetection.silence", { turnDetection: { type: "server_vad", silence: "long" } }],
    ["turnDetection.silence", { turnDetection: { type: "server_vad", silence: -1 } }],
    ["turnDetection.eagerness", { turnDetection: { type: "server_vad", eagerness: "low" } }],
    ["turnDetection.idleTimeout", { turnDetection: { type: "server_vad", idleTimeout: "1 minute" } }],
    ["turnDetection.eagerness", { turnDetection: { type: "semantic_vad", eagerness: "very" } }],
    ["turnDetection.threshold", { turnDetection: { type: "semantic_vad", threshold: 0.5 } }],
    ["transcription", { transcription: true }],
    ["transcription.temperature", { transcription: { temperature: 1 } }],
    ["transcription.model", { transcription: whisper }],
    ["transcription.model", { transcription: whisper, turnDetection: { type: "semantic_vad" } }],
    ["transcription.prompt", { transcription: { ...whisper, prompt: "x" }, turnDetection: "manual" }],
    ["transcription.keywords", { transcription: { ...whisper, keywords: ["x"] }, turnDetection: "manual" }],
    ["transcription.languages", { transcription: { model: "whisper-1", languages: ["de"] } }],
    ["transcription.delay", { transcription: { delay: "low" } }],
    ["noiseReduction", { noiseReduction: "loud" }],
    ["noiseReduction.strength", { noiseReduction: { type: "near_field", strength: -1 } }],
    ["speed", { speed: 0.2 }],
    ["speed", { speed: 1.6 }],
    ["speed", { speed: Number.NaN }],
    ["toolChoice", { toolChoice: "maybe" }],
    ["toolChoice.name", { toolChoice: { tool: "weather", name: "x" } }],
    ["maxOutputTokens", { maxOutputTokens: 0 }],
    ["maxOutputTokens", { maxOutputTokens: 4097 }],
    ["maxOutputTokens", { maxOutputTokens: 1.5 }],
    ["maxOutputTokens", { maxOutputTokens: "all" }],
    ["reasoningEffort", { reasoningEffort: "extreme" }],
    ["reasoningEffort", { reasoningEffort: "low", model: "gpt-realtime-1.5" }],
    ["reasoningEffort", { reasoningEffort: "low", model: "gpt-realtime-2025-08-28" }],
    ["parallelToolCalls", { parallelToolCalls: true, model: "gpt-realtime" }],
    ["truncation", { truncation: "all" }],
    ["truncation.retentionRatio", { truncation: { retentionRatio: 2 } }],
    ["truncation.postInstructions", { truncation: { retentionRatio: 0.5, postInstructions: 0 } }],
    ["baseUrl", { baseUrl: "api.openai.com" }],
    ["baseUrl", { baseUrl: "ftp://api.openai.com/v1" }],
    ["organization", { organization: "org\n1" }],
    ["project", { project: "" }],
    ["apiKey", { apiKey: KEY }],
    ["apiKey", { apiKey: Redacted.make(" ") }],
    ["apiKey", { apiKey: Redacted.make(`${KEY}\nx`) }]
  ]

  it.effect.each(wrong)("that are wrong are named: %s in %j", ([option, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make(options))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, option)
      assert.isTrue(error.reason.message.startsWith(`${option}: `), error.reason.message)
      assert.notInclude(JSON.stringify(error) + error.message, KEY)
    })
  )

  const right: ReadonlyArray<object> = [
    {},
    { model: "gpt-realtime-2.1-mini", reasoningEffort: "xhigh", parallelToolCalls: false },
    { model: "gpt-realtime-2-2026-05-01", reasoningEffort: "minimal" },
    { model: "my-proxy-alias", voice: { id: "voice_1" }, speed: 0.25, maxOutputTokens: 1 },
    { speed: 1.5, maxOutputTokens: 4096, toolChoice: { tool: "weather" }, truncation: "disabled" },
    { maxOutputTokens: "inf", noiseReduction: { type: "far_field", strength: 2 } },
    { input: pcmu, output: { ...pcmu, encoding: "pcma" } },
    {
      turnDetection: { type: "server_vad", silence: "1 second", prefixPadding: 100, idleTimeout: Duration.seconds(5) }
    },
    { turnDetection: "manual", transcription: { ...whisper, delay: "high", language: "de" } },
    { transcription: { model: "gpt-live-transcribe", keywords: ["Bern"], languages: ["de", "fr"], prompt: "Swiss" } },
    { transcription: false, modality: "text" },
    { baseUrl: "http://[::1]:8080/v1", organization: "org-1", project: "proj_1", apiKey: Redacted.make(` ${KEY}\n`) }
  ]

  it.effect.each(right)("that are right are taken: %j", (options) => make(options))

  it.effect("have defaults", () =>
    Effect.gen(function* () {
      const { connect: _, ...model } = yield* make({})
      assert.deepStrictEqual(model, {
        provider: "openai",
        model: "gpt-realtime-2.1",
        input: Audio.pcm(24_000),
        output: Audio.pcm(24_000),
        capabilities: {
          truncation: true,
          images: true,
          manualTurns: false,
          resumption: false,
          overlap: true,
          midSessionUpdate: true
        },
        limits: { maxDuration: Duration.minutes(60), renewBefore: Duration.minutes(5) }
      })
    })
  )

  it.effect("give turns to the application when nobody else detects them", () =>
    Effect.gen(function* () {
      const { capabilities } = yield* make({ turnDetection: "manual" })
      assert.isTrue(capabilities.manualTurns)
    })
  )
})

// @ts-expect-error a string is no Redacted
it.effect("a key is not to be a string", () => Effect.flip(OpenAiRealtime.make({ apiKey: KEY })))

describe("the configuration", () => {
  const model = (environment: Record<string, string>, options?: OpenAiRealtime.Options) =>
    BidiModel.pipe(
      Effect.provide(
        Layer.provide(
          OpenAiRealtime.layerFromEnv(options),
          ConfigProvider.layer(ConfigProvider.fromEnvRecord(environment))
        )
      )
    )

  it.effect("has the key", () =>
    Effect.gen(function* () {
      const { model: name } = yield* model({ OPENAI_API_KEY: KEY }, { model: "gpt-realtime-2" })
      assert.strictEqual(name, "gpt-realtime-2")
    })
  )

  it.effect.each([{}, { OPENAI_API_KEY: "" }])("says what to set when it has not: %j", (environment) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(model(environment))
      assert(error._tag === "BidiError")
      assert.strictEqual(error.reason._tag, "Auth")
      assert.include(error.message, "set OPENAI_API_KEY")
    })
  )

  it.effect.each([
    ["baseUrl", { OPENAI_BASE_URL: "nowhere" }],
    ["organization", { OPENAI_ORG_ID: "a b" }],
    ["project", { OPENAI_PROJECT_ID: "a b" }]
  ])("is checked: %s", ([option, environment]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(model({ OPENAI_API_KEY: KEY, ...(environment as object) }))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, option)
    })
  )

  it.effect("may leave out, or leave empty, all but the key", () =>
    model({ OPENAI_API_KEY: KEY, OPENAI_ORG_ID: "", OPENAI_PROJECT_ID: "", OPENAI_BASE_URL: "" })
  )

  it.effect("does not hide what is wrong with the options", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(model({ OPENAI_API_KEY: KEY }, { speed: 3 }))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "speed")
    })
  )

  it.effect("has options under names of one's own", () =>
    Effect.gen(function* () {
      const layer = OpenAiRealtime.layerConfig({
        apiKey: Config.Redacted("VOICE_KEY"),
        model: Config.NonEmptyString("VOICE_MODEL"),
        turnDetection: Config.succeed("manual" as const)
      })
      const values = { VOICE_KEY: KEY, VOICE_MODEL: "gpt-realtime-2" }
      const given = Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(values)))
      const { capabilities, model: name } = yield* Effect.provide(BidiModel, given)
      assert.deepStrictEqual([name, capabilities.manualTurns], ["gpt-realtime-2", true])
      const missing = Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
      assert.strictEqual((yield* Effect.flip(Effect.provide(BidiModel, missing)))._tag, "ConfigError")
    })
  )
})
