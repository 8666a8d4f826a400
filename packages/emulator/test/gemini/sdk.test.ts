/**
 * The official client understands the emulator.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { GoogleGenAI, Modality } from "@google/genai"
import type { LiveConnectConfig, LiveServerMessage, Session } from "@google/genai"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { msIn, saidIn } from "../support/gemini.ts"
import { phrase, quiet } from "../support/sound.ts"

const connect = Effect.fnUntraced(function* (url: string, config: LiveConnectConfig) {
  const messages = yield* Queue.unbounded<LiveServerMessage>()
  const ai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url, apiVersion: "v1beta" } })
  const session = yield* Effect.acquireRelease(
    Effect.promise((): Promise<Session> =>
      ai.live.connect({
        model: "gemini-3.8-live",
        config,
        callbacks: { onmessage: (message) => void Queue.offerUnsafe(messages, message) }
      })
    ),
    (session) => Effect.sync(() => session.close())
  )
  const turn = Effect.gen(function* () {
    const all: Array<LiveServerMessage> = []
    while (all.at(-1)?.serverContent?.turnComplete !== true) all.push(yield* Queue.take(messages))
    return all
  })
  return { session, turn }
})

it.effect("connects, talks, calls a function, hears and resumes", () =>
  Effect.gen(function* () {
    const emulator = yield* GeminiEmulator.make({ speed: Number.POSITIVE_INFINITY, voice: "tones" })
    const config: LiveConnectConfig = {
      responseModalities: [Modality.AUDIO],
      systemInstruction: "Be brief.",
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } },
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      contextWindowCompression: { slidingWindow: {} },
      sessionResumption: {},
      tools: [
        {
          functionDeclarations: [
            { name: "current_time", description: "The time", parametersJsonSchema: { type: "object" } }
          ]
        }
      ]
    }
    const { session, turn } = yield* connect(emulator.url, config)
    session.sendRealtimeInput({ text: "my name is Ada" })
    const first = yield* turn
    assert.strictEqual(saidIn(first), "Nice to meet you, Ada.")
    assert.isAbove(msIn(first), 1000)
    assert.isAbove(first.at(-1)!.usageMetadata!.totalTokenCount!, 0)

    const { samples } = Pcm.resample(Pcm.concat([quiet(200), phrase("what time is it"), quiet(600)]), 16_000)
    const data = Buffer.from(Pcm.toBytes(samples)).toString("base64")
    session.sendRealtimeInput({ audio: { data, mimeType: "audio/pcm;rate=16000" } })
    const [call] = (yield* turn).flatMap(({ toolCall }) => toolCall?.functionCalls ?? [])
    session.sendToolResponse({ functionResponses: { id: call!.id!, name: call!.name!, response: { output: "10:42" } } })
    assert.strictEqual(saidIn(yield* turn), "It is 10:42.")

    session.sendClientContent({ turns: "my name is Bob" })
    assert.strictEqual(saidIn(yield* turn), "Nice to meet you, Bob.")
    const { event } = yield* emulator.awaitSent("sessionResumptionUpdate", 7)
    session.close()
    yield* emulator.awaitConnections(0)
    const { newHandle } = event.sessionResumptionUpdate as { readonly newHandle: string }
    const again = yield* connect(emulator.url, { ...config, sessionResumption: { handle: newHandle } })
    again.session.sendContextUpdate({ systemInstruction: "Be brief." })
    again.session.sendRealtimeInput({ text: "what is my name" })
    assert.strictEqual(saidIn(yield* again.turn), "Your name is Bob.")
  })
)

it.effect("is told why it cannot connect", () =>
  Effect.gen(function* () {
    const emulator = yield* GeminiEmulator.make({ models: [], voice: "tones" })
    const problem = yield* Effect.tryPromise({
      try: () =>
        new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: emulator.url } }).live.connect({
          model: "gemini-3.8-live",
          callbacks: { onmessage: () => {} }
        }),
      catch: (error) => String(error)
    }).pipe(Effect.flip)
    assert.match(problem, /code 1008.*gemini-3.8-live is not found/)
  })
)
