/**
 * Whole conversations over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { story } from "../src/internal/assistant/story.ts"
import { connect } from "./support/client.ts"
import {
  calculator,
  callsIn,
  clock,
  msIn,
  of,
  saidIn,
  systemText,
  tool,
  toolOutput,
  update,
  userText,
  assistantText
} from "./support/fold.ts"
import * as Gemini from "./support/gemini.ts"
import * as GeminiClient from "./support/geminiClient.ts"
import * as Nova from "./support/nova.ts"
import * as NovaClient from "./support/novaClient.ts"
import { appends, phrase, quiet, tone } from "./support/sound.ts"

const quick: OpenAiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const create = { type: "response.create" }

describe("a conversation", () => {
  it.effect("in text: names, the time, sums, and the end", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.next("session.created")
      yield* client.send(update({ tools: [clock, calculator, tool("stop_conversation")] }))
      yield* client.next("session.updated")

      assert.strictEqual(saidIn(yield* client.ask("My name is Ada.")), "Nice to meet you, Ada.")

      const [time] = callsIn(yield* client.ask("What time is it?"))
      assert.strictEqual(time?.name, "current_time")
      yield* client.send(toolOutput(time!.callId, { time: "10:42" }), create)
      yield* client.next("response.done")
      assert.strictEqual(saidIn(client.events.slice(-30)), "It is 10:42.")

      const [sum] = callsIn(yield* client.ask("Calculate 25 times 48"))
      assert.deepInclude(sum, { name: "calculator", arguments: { expression: "25 * 48" } })
      yield* client.send(toolOutput(sum!.callId, 1200), create)
      yield* client.next("response.done")
      assert.strictEqual(saidIn(client.events.slice(-30)), "The answer is 1200.")

      assert.strictEqual(saidIn(yield* client.ask("What is my name?")), "Your name is Ada.")
      assert.strictEqual(callsIn(yield* client.ask("stop conversation"))[0]?.name, "stop_conversation")
    })
  )

  it.effect("in sound: speech is recognised, and an interruption cuts the story where it was heard", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* client.send(update({ audio: { input: { transcription: { model: "gpt-transcribe" } } } }))
      const say = (text: string) => client.send(...appends(Pcm.concat([quiet(200), phrase(text), quiet(600)])))

      yield* say("tell me a long story")
      const heard = yield* client.next("conversation.item.input_audio_transcription.completed")
      assert.strictEqual(heard.transcript, "tell me a long story")
      const done = yield* client.next("response.done")
      assert.strictEqual(done.response.output[0].content[0].transcript, story)
      const id = done.response.output[0].id as string

      yield* client.send({ type: "conversation.item.truncate", item_id: id, content_index: 0, audio_end_ms: 20_000 })
      yield* client.next("conversation.item.truncated")
      const told = saidIn(yield* client.ask("what did you just say", { output_modalities: ["text"] })).replace(
        "I said: ",
        ""
      )
      assert.isTrue(story.startsWith(told))

      yield* say("go on")
      const rest = yield* client.next("response.done")
      assert.strictEqual(`${told} ${rest.response.output[0].content[0].transcript}`, story)
    })
  )

  it.effect("after a reconnection: the history is replayed and the story goes on", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      const heard = story.split(" ").slice(0, 90).join(" ")
      yield* client.send(
        update({}),
        userText("My name is Ada."),
        assistantText("Nice to meet you, Ada."),
        userText("tell me a long story"),
        assistantText(heard),
        systemText("The conversation was reconnected. Continue where you left off."),
        create
      )
      const { response } = yield* client.next("response.done")
      assert.strictEqual(`${heard} ${response.output[0].content[0].transcript}`, story)
      assert.strictEqual(saidIn(yield* client.ask("what is my name")), "Your name is Ada.")
    })
  )

  it.effect("by hand, with sound over the telephone", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      const input = { format: { type: "audio/pcmu" }, turn_detection: null, transcription: { model: "whisper-1" } }
      yield* client.send(update({ tools: [clock], audio: { input } }))
      const { muLaw } = yield* Effect.promise(() => import("../src/internal/audio/g711.ts"))
      const { samples } = Pcm.resample(phrase("what time is it"), 8000)
      const audio = Buffer.from(muLaw.encode(samples)).toString("base64")
      yield* client.send({ type: "input_audio_buffer.append", audio }, { type: "input_audio_buffer.commit" }, create)
      assert.strictEqual(
        (yield* client.next("conversation.item.input_audio_transcription.completed")).transcript,
        "what time is it"
      )
      yield* client.next("response.done")
      assert.strictEqual(callsIn(client.events)[0]?.name, "current_time")
    })
  )

  it.effect("with ears of one's own, and with words put into them", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({
        ...quick,
        transcribe: (pcm) => (Pcm.durationMs(pcm) > 1000 ? "my name is Ada" : Effect.succeed(""))
      })
      const client = yield* connect(emulator)
      yield* client.send(
        update({ audio: { input: { turn_detection: null, transcription: { model: "gpt-transcribe" } } } })
      )
      const hear = Effect.fnUntraced(function* (ms: number) {
        yield* client.send(...appends(tone(ms)), { type: "input_audio_buffer.commit" })
        return (yield* client.next("conversation.item.input_audio_transcription.completed")).transcript as string
      })
      assert.strictEqual(yield* hear(1500), "my name is Ada")
      assert.strictEqual(yield* hear(500), "(speech, 0.5 s)")
      yield* emulator.control.nextTranscript("scripted words")
      assert.strictEqual(yield* hear(500), "scripted words")
    })
  )

  it.effect("with ears that break, the failure is told and the talk goes on", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({
        ...quick,
        transcribe: () => {
          throw new Error("no ears today")
        }
      })
      const client = yield* connect(emulator)
      yield* client.send(
        update({ audio: { input: { transcription: { model: "gpt-transcribe" } } } }),
        ...appends(Pcm.concat([tone(500), quiet(600)]))
      )
      const failed = yield* client.next("conversation.item.input_audio_transcription.failed")
      assert.include(failed.error.message, "no ears today")
      assert.strictEqual((yield* client.next("response.done")).response.status, "completed")
    })
  )

  it.effect("with phrases of one's own", () =>
    Effect.gen(function* () {
      const words = "open the pod bay doors"
      const heard = Effect.fnUntraced(function* (options: OpenAiEmulator.Options) {
        const client = yield* connect(yield* OpenAiEmulator.make({ ...quick, ...options }))
        const session = { audio: { input: { turn_detection: null, transcription: { model: "gpt-transcribe" } } } }
        yield* client.send(update(session), ...appends(phrase(words)), { type: "input_audio_buffer.commit" })
        return (yield* client.next("conversation.item.input_audio_transcription.completed")).transcript as string
      })
      assert.strictEqual(yield* heard({ phrases: [words] }), words)
      assert.match(yield* heard({}), /^\(speech, /)
    })
  )

  it.effect.each<[string, NonNullable<OpenAiEmulator.Options["voice"]>]>([
    ["looked for", "auto"],
    ["that may not be there", "espeak"],
    ["that breaks", { kind: "espeak", speak: () => Effect.die("no voice today") }]
  ])("in a voice %s, every reply has its sound and its end", ([_name, voice]) =>
    Effect.gen(function* () {
      const client = yield* connect(yield* OpenAiEmulator.make({ ...quick, voice, chunk: "20 millis" }))
      const events = yield* client.ask("my name is Ada")
      assert.strictEqual(saidIn(events), "Nice to meet you, Ada.")
      assert.isAbove(msIn(events), 500)
      assert.strictEqual(msIn(of(events, "response.output_audio.delta").slice(0, 1)), 20)
    })
  )

  it.effect("with replies put into its mouth", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      yield* emulator.control.nextReply({ text: "As you wish.", calls: [{ name: "anything", arguments: { n: 1 } }] })
      const events = yield* client.ask("hello")
      assert.strictEqual(saidIn(events), "As you wish.")
      assert.deepInclude(callsIn(events)[0], { name: "anything", arguments: { n: 1 } })
      assert.include(saidIn(yield* client.ask("hello")), "scripted emulator")
    })
  )

  it.effect("a reply that no wire can carry ends its own connection only", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const client = yield* connect(emulator)
      const other = yield* connect(emulator)
      yield* emulator.control.nextReply({ text: undefined, calls: [{ name: "x", arguments: { n: 1n } }] })
      yield* client.send(create)
      assert.deepInclude(yield* client.closed, { code: 1011 })
      assert.strictEqual(saidIn(yield* other.ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )

  it.effect("with another assistant", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make({
        ...quick,
        assistant: ({ history }) => ({ text: `Turn ${history.length}.`, calls: [] })
      })
      const client = yield* connect(emulator)
      assert.strictEqual(saidIn(yield* client.ask("a")), "Turn 1.")
      assert.strictEqual(saidIn(yield* client.ask("b")), "Turn 3.")
    })
  )

  it.effect("of two clients does not mix", () =>
    Effect.gen(function* () {
      const emulator = yield* OpenAiEmulator.make(quick)
      const ada = yield* connect(emulator)
      const bob = yield* connect(emulator)
      yield* Effect.all([ada.ask("my name is Ada"), bob.ask("my name is Bob")], { concurrency: 2 })
      assert.strictEqual(saidIn(yield* ada.ask("what is my name")), "Your name is Ada.")
      assert.strictEqual(saidIn(yield* bob.ask("what is my name")), "Your name is Bob.")
      assert.strictEqual((yield* emulator.received(2)).filter(({ connection }) => connection !== 2).length, 0)
      assert.strictEqual((yield* emulator.received(2)).length, 4)
    })
  )
})

const GAP = "Mind the gap between the train and the platform."
const rest =
  "The connection was renewed while you were speaking. Go on exactly where your last message stops. Do not repeat any of it and do not greet. " +
  `That message was made by these instructions: Say exactly: "${GAP}" Say it word for word, and nothing else.`
const late = 'The tool find_order, called earlier, has finished: "on its way"'

describe("what the application says on its own account", () => {
  it.effect("is a system item, and the instructions of a response, of OpenAI", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* OpenAiEmulator.make(quick))
      yield* client.send(userText("hi"), assistantText("Mind the gap"))
      yield* client.send({ type: "response.create", response: { instructions: rest } })
      yield* client.next("response.done")
      assert.strictEqual(saidIn(client.events), "between the train and the platform.")
      const before = client.events.length
      yield* client.send(systemText(late), create)
      yield* client.next("response.done")
      assert.strictEqual(saidIn(client.events.slice(before)), "On its way.")
    })
  )

  it.effect("is text of the user to Gemini", () =>
    Effect.gen(function* () {
      const client = yield* GeminiClient.connect(yield* GeminiEmulator.make(quick), {
        begin: { historyConfig: { initialHistoryInClientContent: true } }
      })
      yield* client.send(Gemini.contents(true, ["user", "hi"], ["model", "Mind the gap"]))
      const said = (text: string) => Effect.map(client.ask(`[From the application: ${text}]`), Gemini.saidIn)
      assert.strictEqual(yield* said(rest), "between the train and the platform.")
      assert.strictEqual(yield* said(late), "On its way.")
    })
  )

  it.effect("is text of the user to Nova", () =>
    Effect.gen(function* () {
      const client = yield* NovaClient.connect(yield* NovaEmulator.make(quick), { begin: null })
      yield* client.send(Nova.sessionStart(), Nova.promptStart())
      yield* client.send(...Nova.block("USER", "hi"), ...Nova.block("ASSISTANT", "Mind the gap"), Nova.audioStart())
      const said = Effect.fnUntraced(function* (text: string) {
        const before = client.events.length
        yield* client.send(...Nova.words(`[${text}]`))
        while (Nova.saidIn(client.events.slice(before)) === "") yield* client.next("contentEnd")
        return Nova.saidIn(client.events.slice(before))
      })
      assert.strictEqual(yield* said(rest), "between the train and the platform.")
      assert.strictEqual(yield* said(late), "On its way.")
    })
  )
})
