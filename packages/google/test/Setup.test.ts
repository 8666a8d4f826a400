import { assert, describe, it } from "@effect/vitest"
import type { Setup } from "@effect-bidi/core/BidiModel"
import type { Options } from "../src/Options.ts"
import { resolve } from "../src/internal/settings.ts"
import { build, historyOf, unnameable } from "../src/internal/setup.ts"
import { setup } from "./support/line.ts"

const live25 = { model: "gemini-2.5-flash-native-audio-preview-12-2025" }
const live31 = { model: "gemini-3.1-flash-live-preview" }
const thinker = { model: "gemini-3.8-live-extended-thinking" }

const settings = (options: Options) => resolve(options)
const config = (options: Options = {}, wanted: Partial<Setup> = {}) => build(settings(options), { ...setup, ...wanted })

// said also where it is the default: four sessions of 3.8 that did not say it were seen to hear nothing
const ears = { automaticActivityDetection: { disabled: false } }

const tool = (name = "weather") => ({
  name,
  description: "The weather",
  parameters: { type: "object", properties: { city: { type: "string" } } }
})

describe("a session", () => {
  it("leaves to the provider what has no value; ears, resumption, compression and transcripts are on", () => {
    assert.deepStrictEqual(config() as object, {
      responseModalities: ["AUDIO"],
      sessionResumption: {},
      contextWindowCompression: { slidingWindow: {} },
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      realtimeInputConfig: { automaticActivityDetection: { disabled: false } }
    })
  })

  it("says everything that was asked for", () => {
    const asked = config(
      {
        model: "gemini-5-live",
        voice: "Kore",
        language: "de-DE",
        turnDetection: {
          startSensitivity: "low",
          endSensitivity: "high",
          prefixPadding: "20 millis",
          silence: 99.6,
          interruptResponse: false
        },
        turnCoverage: "all",
        transcription: { input: { languages: ["de-DE"], vocabulary: ["Ada"] } },
        thinking: { level: "medium" },
        proactivity: { audio: true, video: false },
        affectiveDialog: true,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        maxOutputTokens: 100,
        mediaResolution: "medium",
        compression: { triggerTokens: 2000, targetTokens: 1000 },
        functions: { behavior: "blocking" }
      },
      { instructions: "You are Ada.", resume: "handle_1", tools: [tool()] }
    )
    assert.deepStrictEqual(asked as object, {
      responseModalities: ["AUDIO"],
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxOutputTokens: 100,
      mediaResolution: "MEDIA_RESOLUTION_MEDIUM",
      speechConfig: {
        languageCode: "de-DE",
        voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } }
      },
      thinkingConfig: { thinkingLevel: "MEDIUM" },
      enableAffectiveDialog: true,
      systemInstruction: "You are Ada.",
      tools: [
        {
          functionDeclarations: [
            {
              name: "weather",
              description: "The weather",
              parametersJsonSchema: { type: "object", properties: { city: { type: "string" } } },
              behavior: "BLOCKING"
            }
          ]
        }
      ],
      sessionResumption: { handle: "handle_1" },
      contextWindowCompression: { triggerTokens: "2000", slidingWindow: { targetTokens: "1000" } },
      inputAudioTranscription: { languageCodes: ["de-DE"], customVocabulary: ["Ada"] },
      outputAudioTranscription: {},
      realtimeInputConfig: {
        automaticActivityDetection: {
          disabled: false,
          startOfSpeechSensitivity: "START_SENSITIVITY_LOW",
          endOfSpeechSensitivity: "END_SENSITIVITY_HIGH",
          prefixPaddingMs: 20,
          silenceDurationMs: 100
        },
        activityHandling: "NO_INTERRUPTION",
        turnCoverage: "TURN_INCLUDES_ALL_INPUT"
      },
      proactivity: { proactiveAudio: true, proactiveVideo: false }
    })
  })

  it.each([
    [{ voice: { id: "mine" } }, "speechConfig", { voiceConfig: { prebuiltVoiceConfig: { voiceName: "mine" } } }],
    [{ language: "en-US" }, "speechConfig", { languageCode: "en-US" }],
    [{ turnDetection: "manual" }, "realtimeInputConfig", { automaticActivityDetection: { disabled: true } }],
    [{ turnDetection: { interruptResponse: true } }, "realtimeInputConfig", { ...ears }],
    [{ turnCoverage: "activity" }, "realtimeInputConfig", { ...ears, turnCoverage: "TURN_INCLUDES_ONLY_ACTIVITY" }],
    [
      { turnCoverage: "activity_and_video" },
      "realtimeInputConfig",
      { ...ears, turnCoverage: "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO" }
    ],
    [{ transcription: false }, "inputAudioTranscription", undefined],
    [{ transcription: false }, "outputAudioTranscription", undefined],
    [{ transcription: { input: false } }, "inputAudioTranscription", undefined],
    [{ transcription: { input: false } }, "outputAudioTranscription", {}],
    [{ transcription: { output: false } }, "inputAudioTranscription", {}],
    [{ transcription: { output: false } }, "outputAudioTranscription", undefined],
    [{ compression: false }, "contextWindowCompression", undefined],
    [{ mediaResolution: "low" }, "mediaResolution", "MEDIA_RESOLUTION_LOW"],
    [{ mediaResolution: "high" }, "mediaResolution", "MEDIA_RESOLUTION_HIGH"],
    [{ ...live25, thinking: { budget: 0 } }, "thinkingConfig", { thinkingBudget: 0 }],
    [live25, "thinkingConfig", undefined],
    [{ ...live31, thinking: { level: "minimal" } }, "thinkingConfig", { thinkingLevel: "MINIMAL" }],
    [{ ...live31, thinking: { thoughts: true } }, "thinkingConfig", { includeThoughts: true }],
    [
      { ...live25, thinking: { budget: 9, thoughts: true } },
      "thinkingConfig",
      { thinkingBudget: 9, includeThoughts: true }
    ],
    [live31, "thinkingConfig", undefined],
    // it refuses a session that does not say how much
    [thinker, "thinkingConfig", { thinkingLevel: "LOW" }],
    [{ ...thinker, thinking: { level: "high" } }, "thinkingConfig", { thinkingLevel: "HIGH" }],
    [{ ...live25, affectiveDialog: false }, "enableAffectiveDialog", false]
  ] as ReadonlyArray<readonly [Options, string, unknown]>)("with %j says %s: %j", (options, key, value) => {
    assert.deepStrictEqual((config(options) as Record<string, unknown>)[key], value)
  })

  it.each([
    [{}, "NON_BLOCKING"],
    [{ functions: { behavior: "blocking" } }, "BLOCKING"],
    [thinker, "NON_BLOCKING"],
    [live31, undefined],
    [live25, undefined],
    [{ ...live25, functions: { behavior: "non_blocking" } }, "NON_BLOCKING"],
    [{ model: "gemini-5-live" }, undefined]
  ] as ReadonlyArray<readonly [Options, string | undefined]>)("with %j has tools that are %s", (options, behavior) => {
    const [declared] = config(options, { tools: [tool()] }).tools as ReadonlyArray<any>
    assert.strictEqual(declared.functionDeclarations[0].behavior, behavior)
  })

  it("has tools without description and parameters", () => {
    const tools = [{ name: "now", description: undefined, parameters: { type: "object", additionalProperties: false } }]
    const [declared] = config(live31, { tools }).tools as ReadonlyArray<any>
    assert.deepStrictEqual(declared.functionDeclarations, [{ name: "now" }])
  })

  it("declares the talk so far where it is new and the model knows it", () => {
    const flag = { initialHistoryInClientContent: true }
    assert.deepStrictEqual(historyOf(settings({}), setup), flag)
    assert.deepStrictEqual(historyOf(settings(live31), setup), flag)
    assert.isUndefined(historyOf(settings(live25), setup))
    assert.isUndefined(historyOf(settings({}), { ...setup, resume: "handle_1" }))
  })
})

describe("the name of a tool", () => {
  it.each(["a", "_a", "get_weather", "a.b:c-d", "A1", `a${"b".repeat(127)}`])("may be %s", (name) => {
    assert.isUndefined(unnameable({ ...setup, tools: [tool(), tool(name)] }))
  })

  it.each(["", "1a", "-a", "get weather", "größe", `a${"b".repeat(128)}`])("may not be %j", (name) => {
    const wrong = unnameable({ ...setup, tools: [tool(), tool(name)] })
    assert.strictEqual(wrong?.option, `tools.${name}`)
    assert.include(wrong?.message, "Expected a name of letters")
  })
})
