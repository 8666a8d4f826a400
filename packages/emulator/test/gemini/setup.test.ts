import { assert, describe, it } from "@effect/vitest"
import { Gemini, audio, clock, functions, setupOf, text } from "../support/gemini.ts"
import { tone } from "../support/sound.ts"

const closeOf = (...messages: ReadonlyArray<object | string>) => {
  const session = new Gemini({ begin: null })
  session.send(...messages)
  return session.closes[0]
}

describe("the first message", () => {
  it("is a setup, and is answered with the name of the session", () => {
    const [first, ...others] = new Gemini().events
    assert.deepStrictEqual(Object.keys(first!), ["setupComplete"])
    assert.match(first!.setupComplete.sessionId, /^[0-9a-f-]{36}$/)
    assert.deepStrictEqual(others, [])
  })

  it.each([
    ["another message", [text("hello")], 1007, /first message/],
    ["a second setup", [setupOf({}), setupOf({})], 1007, /only the first/],
    ["no JSON", ["{"], 1007, /Invalid JSON/],
    ["nothing", [{}], 1007, /holds one of/],
    ["two things at once", [{ ...setupOf({}), ...text("x") }], 1007, /holds one of/],
    ["an unknown thing", [{ setap: {} }], 1007, /Unknown name "setap"/]
  ] as const)("is not %s", (_, messages, code, reason) => {
    const close = closeOf(...messages)
    assert.strictEqual(close?.code, code)
    assert.match(close!.reason, reason)
  })

  it("may be written with underscores, and null is nothing", () => {
    const session = new Gemini({ begin: null })
    const [done] = session.send({
      setup: {
        model: "models/gemini-3.8-live",
        generation_config: { response_modalities: ["AUDIO"], temperature: null },
        realtime_input_config: { automatic_activity_detection: { disabled: true } },
        session_resumption: {}
      }
    })
    assert.isDefined(done?.setupComplete)
    assert.isUndefined(session.state.settings!.vad)
    assert.isTrue(session.state.settings!.isResumable)
  })

  it("is let in only with the right key", () => {
    const session = new Gemini({ isKeyGood: false })
    assert.deepStrictEqual(session.closes, [{ code: 1008, reason: "API key not valid. Please pass a valid API key." }])
  })
})

describe("a setup", () => {
  it.each([
    ["an unknown model", { model: "gemini-9" }, 1008, /^models\/gemini-9 is not found/],
    ["a model of another wire", { model: "gemini-2.5-flash" }, 1008, /not supported for bidiGenerateContent/],
    ["an unknown field", { foo: 1 }, 1007, /^Invalid JSON payload received. Unknown name "foo" at 'setup'/],
    [
      "a value of the wrong type",
      { generationConfig: { temperature: "warm" } },
      1007,
      /'setup.generationConfig.temperature'/
    ],
    ["a value out of range", { generationConfig: { temperature: 3 } }, 1007, /0 to 2/],
    ["text as an answer", { generationConfig: { responseModalities: ["TEXT"] } }, 1007, /response modalities \(TEXT\)/],
    [
      "a voice that nobody has",
      { generationConfig: { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "marin" } } } } },
      1007,
      /voice api_name 'marin'/
    ],
    [
      "an unknown sensitivity",
      { realtimeInputConfig: { automaticActivityDetection: { startOfSpeechSensitivity: "X" } } },
      1007,
      /startOfSpeech/
    ],
    ["a transparent resumption", { sessionResumption: { transparent: true } }, 1007, /Unknown name "transparent"/],
    ["a function with a bad name", functions({ name: "1st" }), 1007, /Invalid function name/],
    ["a function twice", functions(clock, clock), 1007, /Duplicate function declaration found: current_time/],
    [
      "a JSON schema in the place of the other kind",
      functions({ name: "f", parameters: { type: "OBJECT", properties: { a: { type: "STRING", const: "x" } } } }),
      1007,
      /Unknown name "const" at '.*properties\.a'/
    ],
    ["a schema that is none", functions({ name: "f", parameters: { type: "OBJECT", items: 3 } }), 1007, /items/]
  ] as const)("with %s ends the connection", (_, setup, code, reason) => {
    const session = new Gemini({ begin: setup })
    assert.strictEqual(session.closes[0]?.code, code)
    assert.match(session.closes[0]!.reason, reason)
    assert.deepStrictEqual(session.events, [])
  })

  it("knows functions in either kind of schema", () => {
    const parameters = { type: "OBJECT", properties: { city: { type: "STRING", enum: ["Rome"] } }, required: ["city"] }
    const session = new Gemini({
      begin: functions({ name: "get_weather", parameters }, { name: "f", parametersJsonSchema: { const: 1 } })
    })
    assert.deepStrictEqual(session.closes, [])
    assert.deepStrictEqual(session.state.settings!.functions[0]!.parameters, {
      type: "object",
      properties: { city: { type: "string", enum: ["Rome"] } },
      required: ["city"]
    })
  })
})

describe("families of models", () => {
  const level = { generationConfig: { thinkingConfig: { thinkingLevel: "LOW" } } }
  const budget = { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }
  const thoughts = { generationConfig: { thinkingConfig: { includeThoughts: true } } }
  const affect = { generationConfig: { enableAffectiveDialog: true } }
  const proactive = { proactivity: { proactiveAudio: true } }
  const passive = { proactivity: { proactiveAudio: false } }
  const blocking = functions({ ...clock, behavior: "BLOCKING" })
  const free = functions({ ...clock, behavior: "NON_BLOCKING" })
  const nullHandle = { sessionResumption: { handle: null } }
  const all = { level, budget, thoughts, affect, proactive, passive, blocking, free, nullHandle }

  it.each([
    ["gemini-3.8-live", ["thoughts", "proactive", "blocking", "free", "nullHandle"]],
    ["gemini-3.8-live-extended-thinking", ["level"]],
    ["gemini-3.1-flash-live-preview", ["level", "thoughts", "blocking"]],
    [
      "gemini-2.5-flash-native-audio-preview-12-2025",
      ["budget", "thoughts", "affect", "proactive", "passive", "blocking", "free", "nullHandle"]
    ]
  ] as const)("%s takes %j and nothing else", (model, taken) => {
    for (const [name, setup] of Object.entries(all)) {
      const { closes } = new Gemini({ begin: { model, ...setup } })
      assert.deepStrictEqual(
        closes.map(({ code }) => code),
        (taken as ReadonlyArray<string>).includes(name) ? [] : [1007],
        name
      )
    }
  })

  it("differ in when they run functions", () => {
    const behaviorOf = (model: string) =>
      new Gemini({ begin: { model, ...functions(clock) } }).state.settings!.functions[0]!.behavior
    assert.strictEqual(behaviorOf("gemini-3.8-live"), "NON_BLOCKING")
    assert.strictEqual(behaviorOf("gemini-3.1-flash-live-preview"), "BLOCKING")
    assert.strictEqual(behaviorOf("gemini-2.5-flash-native-audio-preview-12-2025"), "BLOCKING")
  })
})

describe("wrong messages later on", () => {
  it.each([
    ["sound of another kind", { realtimeInput: { audio: { data: "AAAA", mimeType: "audio/opus" } } }, /audio\/opus/],
    [
      "sound at an odd rate",
      { realtimeInput: { audio: { data: "AAAA", mimeType: "audio/pcm;rate=4000" } } },
      /rate=4000/
    ],
    ["half a sample", { realtimeInput: { audio: { data: "AA==", mimeType: "audio/pcm;rate=16000" } } }, /TYPE_BYTES/],
    ["no base64", { realtimeInput: { audio: { data: "?", mimeType: "audio/pcm" } } }, /TYPE_BYTES/],
    ["a film", { realtimeInput: { video: { data: "AAAA", mimeType: "video/mp4" } } }, /video\/mp4/],
    [
      "activity that is looked for already",
      { realtimeInput: { activityStart: {} } },
      /automatic activity detection is enabled/
    ],
    ["an unknown input", { realtimeInput: { smell: "" } }, /Unknown name "smell"/],
    [
      "an answer without a name",
      { toolResponse: { functionResponses: [{ id: "x", response: {} }] } },
      /name is required/
    ]
  ] as const)("%s ends the connection with 1007", (_, message, reason) => {
    const session = new Gemini()
    session.send(message)
    assert.strictEqual(session.closes[0]?.code, 1007)
    assert.match(session.closes[0]!.reason, reason)
    session.send(...audio(tone(500)), text("anybody?"))
    assert.strictEqual(session.events.length, 1, "nothing is said after the end")
  })
})
