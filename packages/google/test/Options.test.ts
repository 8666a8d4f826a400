import { assert, describe, it } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import { BidiModel } from "@effect-bidi/core/BidiModel"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { GeminiLive } from "../src/index.ts"
import { KEY } from "./support/protocol.ts"

const make = (options: object) => GeminiLive.make({ apiKey: Redacted.make(KEY), ...options })

const thinker = { model: "gemini-3.8-live-extended-thinking" }
const live31 = { model: "gemini-3.1-flash-live-preview" }
const live25 = { model: "models/gemini-2.5-flash-native-audio-preview-12-2025" }
const level = { level: "low" }
const budget = { budget: 0 }

describe("options", () => {
  // an option, what is allowed for it, and options in which it is wrong
  const wrong: ReadonlyArray<readonly [option: string, allowed: string, options: object]> = [
    ["speed", "no such option", { speed: 1 }],
    ["instructions", "no such option", { instructions: "Hi" }],
    ["model", "length", { model: "" }],
    ["model", "without ..", { model: "gemini?key=1" }],
    ["model", "without ..", { model: "../gemini" }],
    ["voice", '"Kore"', { voice: "marin" }],
    ["voice.name", "no such option", { voice: { id: "v", name: "x" } }],
    ["language", "system prompt", { language: "de-DE", ...live25 }],
    ["input.encoding", '"pcm"', { input: { encoding: "pcmu", sampleRate: 8000, channels: 1 } }],
    ["input.channels", "1 channel", { input: { ...Audio.pcm(16_000), channels: 2 } }],
    ["input.sampleRate", "48000", { input: Audio.pcm(96_000) }],
    ["turnDetection", '"manual"', { turnDetection: "off" }],
    ["turnDetection.startSensitivity", '"low"', { turnDetection: { startSensitivity: "medium" } }],
    ["turnDetection.endSensitivity", '"high"', { turnDetection: { endSensitivity: 1 } }],
    ["turnDetection.silence", "a duration", { turnDetection: { silence: -1 } }],
    ["turnDetection.prefixPadding", "a duration", { turnDetection: { prefixPadding: "long" } }],
    ["turnDetection.threshold", "no such option", { turnDetection: { threshold: 0.5 } }],
    ["turnCoverage", '"activity_and_video"', { turnCoverage: "some" }],
    ["turnCoverage", '"activity" | "all"', { turnCoverage: "activity_and_video", ...live25 }],
    ["transcription", "false", { transcription: "yes" }],
    ["transcription.output", "boolean", { transcription: { output: {} } }],
    ["transcription.input.model", "no such option", { transcription: { input: { model: "x" } } }],
    [
      "transcription.input.languages",
      "gemini-3.8-live does",
      { transcription: { input: { languages: ["de"] } }, ...live31 }
    ],
    [
      "transcription.input.vocabulary",
      "gemini-3.8-live does",
      { transcription: { input: { vocabulary: ["Ada"] } }, ...live25 }
    ],
    ["thinking", "gemini-3.8-live-extended-thinking", { thinking: level }],
    ["thinking", "gemini-3.8-live-extended-thinking", { thinking: budget, model: "gemini-3.8-live-001" }],
    ["thinking.budget", '"minimal"', { thinking: budget, ...thinker }],
    ["thinking.budget", '"minimal"', { thinking: budget, ...live31 }],
    ["thinking.level", "budget", { thinking: level, ...live25 }],
    ["thinking.level", '"minimal"', { thinking: { level: "extreme" }, ...live31 }],
    ["thinking.budget", "-1", { thinking: { budget: -2 }, ...live25 }],
    ["thinking", "either", { thinking: { ...level, ...budget }, ...thinker }],
    ["thinking", "either", { thinking: {}, ...live25 }],
    ["proactivity", "always", { proactivity: { audio: false } }],
    ["proactivity", "2.5", { proactivity: { audio: true }, ...live31 }],
    ["proactivity.audio", "true", { proactivity: { audio: false, video: true }, ...live25 }],
    ["affectiveDialog", "2.5", { affectiveDialog: true }],
    ["affectiveDialog", "2.5", { affectiveDialog: true, ...live31 }],
    ["temperature", "2", { temperature: 2.1 }],
    ["topP", "1", { topP: -0.1 }],
    ["topK", "0", { topK: 0 }],
    ["maxOutputTokens", "integer", { maxOutputTokens: 1.5 }],
    ["mediaResolution", '"medium"', { mediaResolution: "huge" }],
    ["compression", "false", { compression: true }],
    ["compression.targetTokens", "triggerTokens (1000)", { compression: { triggerTokens: 1000, targetTokens: 1000 } }],
    ["compression.triggerTokens", "0", { compression: { triggerTokens: 0 } }],
    ["functions.behavior", '"blocking"', { functions: { behavior: "async" } }],
    ["functions.behavior", '"non_blocking"', { functions: { behavior: "blocking" }, ...thinker }],
    ["functions.behavior", '"blocking"', { functions: { behavior: "non_blocking" }, ...live31 }],
    ["functions.scheduling", "non_blocking", { functions: { scheduling: "interrupt" }, ...live31 }],
    ["functions.scheduling", "non_blocking", { functions: { scheduling: "interrupt", behavior: "blocking" } }],
    ["functions.scheduling", '"when_idle"', { functions: { scheduling: "silent" } }],
    ["baseUrl", "Expected a URL with http or https", { baseUrl: "generativelanguage.googleapis.com" }],
    ["baseUrl", "Expected a URL with http or https", { baseUrl: "ftp://generativelanguage.googleapis.com" }],
    ["apiKey", "Redacted", { apiKey: KEY }],
    ["apiKey", "empty", { apiKey: Redacted.make(" ") }],
    ["apiKey", "characters", { apiKey: Redacted.make(`${KEY}&x=1`) }],
    ["apiKey", "characters", { apiKey: Redacted.make(`${KEY}\nx`) }]
  ]

  it.effect.each(wrong)("that are wrong are named: %s (%s) in %j", ([option, allowed, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(make(options))
      assert(error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, option)
      assert.isTrue(error.reason.message.startsWith(`${option}: `), error.reason.message)
      assert.include(error.reason.message, allowed)
      assert.notInclude(JSON.stringify(error) + error.message, KEY)
    })
  )

  const right: ReadonlyArray<object> = [
    {},
    { voice: "Kore", language: "de-DE", input: Audio.pcm(8000), temperature: 0, topP: 1, topK: 1, maxOutputTokens: 1 },
    { voice: { id: "mine" }, input: Audio.pcm(48_000), temperature: 2, mediaResolution: "low", compression: false },
    { turnDetection: { silence: "1 second", prefixPadding: Duration.millis(20), startSensitivity: "low" } },
    { turnDetection: "manual", turnCoverage: "all", transcription: false },
    { transcription: { input: { languages: ["de-DE"], vocabulary: ["Ada"] }, output: false } },
    { transcription: { input: true }, ...live31 },
    { transcription: { input: {} }, ...live25 },
    { compression: { triggerTokens: 2, targetTokens: 1 } },
    { functions: { behavior: "blocking" } },
    { functions: { scheduling: "interrupt" } },
    { thinking: { level: "high" }, functions: { behavior: "non_blocking" }, ...thinker },
    { thinking: { level: "minimal" }, functions: { behavior: "blocking" }, language: "de-DE", ...live31 },
    { thinking: { budget: -1 }, affectiveDialog: true, proactivity: { audio: true, video: true }, ...live25 },
    { functions: { behavior: "non_blocking", scheduling: "interrupt" }, model: "gemini-live-2.5-flash-preview" },
    // a model of the future
    { model: "gemini-5-live", thinking: budget, proactivity: { audio: true }, affectiveDialog: true, language: "de" },
    { model: "gemini-5-live", thinking: level },
    { baseUrl: "http://[::1]:8080/v1", apiKey: Redacted.make(` ${KEY}\n`) },
    { baseUrl: "wss://example.com", apiKey: Redacted.make("auth_tokens/0a.b-c_d") }
  ]

  it.effect.each(right)("that are right are taken: %j", (options) => make(options))

  it.effect("have defaults, and what follows from them is known before connecting", () =>
    Effect.gen(function* () {
      const { connect: _, ...model } = yield* make({})
      assert.deepStrictEqual(model, {
        provider: "google",
        model: "gemini-3.8-live",
        input: Audio.pcm(16_000),
        output: Audio.pcm(24_000),
        capabilities: {
          truncation: false,
          images: true,
          manualTurns: false,
          resumption: true,
          overlap: false,
          midSessionUpdate: false
        },
        limits: { maxDuration: Duration.minutes(10), renewAfter: Duration.minutes(9), history: 128 * 1024 }
      })
    })
  )

  it.effect("give turns to the application when nobody else detects them", () =>
    Effect.gen(function* () {
      assert.isTrue((yield* make({ turnDetection: "manual" })).capabilities.manualTurns)
      assert.isFalse((yield* make({ turnDetection: {} })).capabilities.manualTurns)
    })
  )

  it.effect("say which audio the model takes", () =>
    Effect.map(make({ input: Audio.pcm(48_000) }), (model) => assert.deepStrictEqual(model.input, Audio.pcm(48_000)))
  )
})

describe("the configuration", () => {
  const built = (environment: Record<string, string>, options: GeminiLive.Options = {}) =>
    BidiModel.use((model) => Effect.succeed(model.model)).pipe(
      Effect.provide(
        Layer.provide(GeminiLive.layerFromEnv(options), ConfigProvider.layer(ConfigProvider.fromEnvRecord(environment)))
      )
    )

  it.effect.each([{}, { GOOGLE_API_KEY: " " }])("has to have a key: %j", (environment) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built(environment))
      assert(error._tag === "BidiError" && error.reason._tag === "Auth")
      assert.include(error.message, "GOOGLE_API_KEY")
      assert.include(error.message, "GEMINI_API_KEY")
    })
  )

  it.effect("is joined by options", () =>
    Effect.map(built({ GEMINI_API_KEY: KEY }, live31), (model) => assert.strictEqual(model, live31.model))
  )

  it.effect("is checked", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built({ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: "nowhere" }))
      assert(error._tag === "BidiError" && error.reason._tag === "InvalidRequest")
      assert.strictEqual(error.reason.option, "baseUrl")
    })
  )

  it.effect("has options under names of one's own", () =>
    Effect.gen(function* () {
      const layer = GeminiLive.layerConfig({
        apiKey: Config.Redacted("VOICE_KEY"),
        model: Config.NonEmptyString("VOICE_MODEL"),
        thinking: { level: Config.succeed("low" as const) }
      })
      const values = { VOICE_KEY: KEY, VOICE_MODEL: live31.model }
      const given = Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord(values)))
      assert.strictEqual((yield* Effect.provide(BidiModel, given)).model, live31.model)
      const missing = Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnvRecord({})))
      assert.strictEqual((yield* Effect.flip(Effect.provide(BidiModel, missing)))._tag, "ConfigError")
    })
  )
})
