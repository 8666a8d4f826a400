/**
 * What we rely on inside the SDK. Where one of these fails after an upgrade, `dial.ts` and `encode.ts` are to be read
 * again.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  ActivityHandling,
  EndSensitivity,
  GoogleGenAI,
  type LiveConnectConfig,
  StartSensitivity,
  TurnCoverage
} from "@google/genai"
import * as Effect from "effect/Effect"
import * as Base64 from "@effect-bidi/core/adapter/Base64"
import { setupComplete } from "./fixtures/messages.ts"
import { ready } from "./support/line.ts"
import { KEY, send, start } from "./support/protocol.ts"

interface Callbacks {
  readonly onopen: () => void
  readonly onmessage: (event: object) => void
  readonly onerror: (event: object) => void
  readonly onclose: (event: object) => void
}

/** A client with a socket of ours in it, and what it does with it. */
const wiretap = () => {
  const client = new GoogleGenAI({
    vertexai: false,
    apiKey: KEY,
    httpOptions: { baseUrl: "http://127.0.0.1:1/", apiVersion: "v1beta" }
  })
  const sent: Array<any> = []
  const created: Array<{ url: string; headers: Record<string, string>; callbacks: Callbacks }> = []
  const calls: Array<string> = []
  Reflect.set(client.live, "webSocketFactory", {
    create: (url: string, headers: Record<string, string>, callbacks: Callbacks) => {
      created.push({ url, headers, callbacks })
      return {
        connect: () => void calls.push("connect"),
        send: (message: string) => void sent.push(JSON.parse(message)),
        close: () => void calls.push("close")
      }
    }
  })
  const connect = (config: LiveConnectConfig = {}) =>
    client.live.connect({ model: "gemini-3.8-live", config, callbacks: { onmessage: () => {} } })
  return { client, sent, created, calls, connect }
}

/** A session, and what it writes. */
const session = async () => {
  const { connect, created, sent } = wiretap()
  const session = connect()
  created[0]!.callbacks.onopen()
  await Promise.resolve()
  await Promise.resolve()
  created[0]!.callbacks.onmessage({ data: JSON.stringify(setupComplete()) })
  return { session: await session, sent: sent.splice(0) && sent }
}

describe("the SDK", () => {
  it("keeps the factory of its sockets where we replace it", () => {
    const { live } = new GoogleGenAI({ vertexai: false, apiKey: KEY })
    const factory: any = Reflect.get(live, "webSocketFactory")
    assert.isFunction(factory.create)
    const socket = factory.create("ws://127.0.0.1:1", {}, {})
    assert.includeMembers(Object.getOwnPropertyNames(Object.getPrototypeOf(socket)), ["connect", "send", "close"])
  })

  it("takes a socket from there at once, and knows the address", () => {
    const { calls, connect, created } = wiretap()
    connect().catch(() => {})
    assert.deepStrictEqual(calls, ["connect"])
    assert.strictEqual(
      created[0]!.url,
      `ws://127.0.0.1:1//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=${KEY}`
    )
    assert.match(created[0]!.headers["x-goog-api-client"] ?? "", /google-genai-sdk\/3\.1\.0 /)
    assert.hasAllKeys(created[0]!.callbacks, ["onopen", "onmessage", "onerror", "onclose"])
  })

  it("writes the setup first, as soon as the socket is open", async () => {
    const { connect, created, sent } = wiretap()
    connect({ responseModalities: [], temperature: 0.5 }).catch(() => {})
    assert.deepStrictEqual(sent, [])
    created[0]!.callbacks.onopen()
    await Promise.resolve()
    await Promise.resolve()
    assert.deepStrictEqual(sent, [
      { setup: { model: "models/gemini-3.8-live", generationConfig: { responseModalities: [], temperature: 0.5 } } }
    ])
  })

  it("still drops what declares history: once it does not, we need not write it ourselves", async () => {
    const { connect, created, sent } = wiretap()
    const config = { historyConfig: { initialHistoryInClientContent: true } } as LiveConnectConfig
    connect(config).catch(() => {})
    created[0]!.callbacks.onopen()
    await Promise.resolve()
    await Promise.resolve()
    assert.deepStrictEqual(sent, [{ setup: { model: "models/gemini-3.8-live" } }])
  })

  it("gives up with the socket", async () => {
    for (const opened of [false, true]) {
      const { connect, created } = wiretap()
      const session = connect()
      if (opened) created[0]!.callbacks.onopen()
      created[0]!.callbacks.onclose({ code: 1006, reason: "" })
      assert.instanceOf(await session.catch((error: unknown) => error), Error)
    }
  })

  it("writes all that we ask for into the setup, and nothing else", () =>
    Effect.gen(function* () {
      const { asked } = yield* ready(
        {
          voice: "Kore",
          language: "de-DE",
          turnDetection: { startSensitivity: "low", endSensitivity: "low", silence: 500, interruptResponse: false },
          turnCoverage: "activity",
          transcription: { input: { languages: ["de-DE"] } },
          temperature: 0.5,
          topP: 0.9,
          topK: 40,
          maxOutputTokens: 100,
          mediaResolution: "low",
          compression: { triggerTokens: 2000, targetTokens: 1000 }
        },
        {},
        {
          instructions: "You are Ada.",
          tools: [
            {
              name: "weather",
              description: "The weather",
              parameters: { type: "object", properties: { city: { type: "string" } } }
            }
          ]
        }
      )
      assert.deepStrictEqual(asked, {
        model: "models/gemini-3.8-live",
        generationConfig: {
          responseModalities: ["AUDIO"],
          temperature: 0.5,
          topP: 0.9,
          topK: 40,
          maxOutputTokens: 100,
          mediaResolution: "MEDIA_RESOLUTION_LOW",
          speechConfig: { languageCode: "de-DE", voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } }
        },
        systemInstruction: { role: "user", parts: [{ text: "You are Ada." }] },
        tools: [
          {
            functionDeclarations: [
              {
                name: "weather",
                description: "The weather",
                parametersJsonSchema: { type: "object", properties: { city: { type: "string" } } },
                behavior: "NON_BLOCKING"
              }
            ]
          }
        ],
        sessionResumption: {},
        inputAudioTranscription: { languageCodes: ["de-DE"] },
        outputAudioTranscription: {},
        realtimeInputConfig: {
          automaticActivityDetection: {
            disabled: false,
            startOfSpeechSensitivity: StartSensitivity.START_SENSITIVITY_LOW,
            endOfSpeechSensitivity: EndSensitivity.END_SENSITIVITY_LOW,
            silenceDurationMs: 500
          },
          activityHandling: ActivityHandling.NO_INTERRUPTION,
          turnCoverage: TurnCoverage.TURN_INCLUDES_ONLY_ACTIVITY
        },
        contextWindowCompression: { triggerTokens: "2000", slidingWindow: { targetTokens: "1000" } },
        historyConfig: { initialHistoryInClientContent: true }
      })
    }).pipe(Effect.scoped, Effect.runPromise))

  it("would write what we write", async () => {
    const { sent, session: sdk } = await session()
    const image = new Uint8Array([1, 2, 3])
    const state = start({ manual: true, context: false })
    const ours = [
      ...send(state, {
        _tag: "UserMessage",
        id: "m",
        parts: ["Look", { _tag: "ImageInput", image, mimeType: "image/png" }]
      }),
      ...send(state, {
        _tag: "ToolOutputs",
        outputs: [{ id: "1", name: "weather", result: "sunny", isFailure: false }]
      }),
      ...send(start(), { _tag: "Note", text: "x", respond: false })
    ]
    sdk.sendRealtimeInput({ activityStart: {} })
    sdk.sendRealtimeInput({ video: { mimeType: "image/png", data: Base64.encode(image) } })
    sdk.sendRealtimeInput({ text: "Look" })
    sdk.sendRealtimeInput({ activityEnd: {} })
    sdk.sendToolResponse({ functionResponses: ours.find((one) => one.toolResponse).toolResponse.functionResponses })
    sdk.sendClientContent({ turns: ours.at(-1).clientContent.turns, turnComplete: false })
    assert.deepStrictEqual(sent, ours)
  })
})
