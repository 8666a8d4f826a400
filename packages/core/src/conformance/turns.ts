/**
 * Turns: typed, spoken, shown, interrupted, manual.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Audio from "../Audio.ts"
import * as BidiTest from "../BidiTest.ts"
import { newId } from "../internal/ids.ts"
import { checkSaid, start } from "./support/call.ts"
import type { Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { connect, type TestConnection, spoken } from "./support/connection.ts"
import { tone } from "./support/speech.ts"

const LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"

const typed = (line: TestConnection, text: string) =>
  Effect.flatMap(newId, (id) => line.connection.send({ _tag: "UserMessage", id, parts: [text] }))

/** Waits for the reply, and checks the order of its events. */
const reply = Effect.fnUntraced(function* (line: TestConnection, times = 1) {
  const { responseId } = yield* line.until("ResponseStarted", times)
  const { stopReason } = yield* line.until("ResponseDone", times)
  const events = line.events()
  const own = events.filter(
    (event) => event._tag !== "Usage" && "responseId" in event && event.responseId === responseId
  )
  yield* check(own[0]?._tag === "ResponseStarted", "an event of a response came before ResponseStarted")
  yield* check(own.at(-1)?._tag === "ResponseDone", "an event of a response came after ResponseDone")
  return { responseId, stopReason }
})

export const turns: ReadonlyArray<Scenario> = [
  {
    name: "sends instructions and tools, and names its provider, model and connection",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const
        const tools = [{ name: "get_weather", description: "Tells the weather.", parameters }]
        const line = yield* connect({ instructions: "You are a lighthouse keeper.", tools })
        yield* server.received("lighthouse keeper")
        yield* server.received("get_weather")
        yield* server.received("Tells the weather.")
        yield* check(line.connection.id !== "", "a connection has no id")
        yield* check(line.model.provider !== "" && line.model.model !== "", "the model has no name")
      }).pipe(Effect.provide(model))
  },
  {
    name: "answers text with audio and its transcript",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        yield* server.reply({ text: "It is a fine day." })
        yield* typed(line, "How is the weather?")
        yield* server.received("How is the weather?")
        const { responseId, stopReason } = yield* reply(line)
        yield* check(stopReason === "complete", `a finished reply ended with ${stopReason}`)
        yield* check(spoken(line).trim() === "It is a fine day.", `the transcript was "${spoken(line)}"`)
        const finals = line.all("TranscriptDone").filter((event) => event.role === "assistant")
        yield* check(finals.length === 1, `there were ${finals.length} final transcripts of one reply`)
        yield* check(finals[0]?.text.trim() === "It is a fine day.", `the final transcript was "${finals[0]?.text}"`)
        const audio = line.all("AudioDelta")
        yield* check(audio.length > 0, "there was no audio")
        yield* check(
          audio.every((event) => event.responseId === responseId && event.itemId === finals[0]?.itemId),
          "audio and transcript have different item ids"
        )
        yield* check(
          audio.every((event) => event.audio.length % Audio.frameSize(line.model.output) === 0),
          "a frame is not whole samples"
        )
      }).pipe(Effect.provide(model))
  },
  {
    name: "detects a spoken turn, transcribes it and answers it",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        yield* server.hear("What is your name?")
        yield* server.reply({ text: "I am the keeper." })
        yield* Effect.forkScoped(line.speak)
        const { itemId } = yield* line.until("UserTurn")
        yield* reply(line)
        const words = yield* line.until("TranscriptDone", 1)
        const heard = line.all("TranscriptDone").find((event) => event.role === "user") ?? words
        yield* check(
          heard.role === "user" && heard.text.trim() === "What is your name?",
          "the transcript of the user is missing"
        )
        yield* check(heard.itemId === itemId, "the transcript of the user has not the id of the turn")
        const order = line.events().map((event) => event._tag)
        yield* check(order.indexOf("UserTurn") < order.indexOf("ResponseStarted"), "the reply came before its turn")
      }).pipe(Effect.provide(model))
  },
  {
    name: "stops generating when the user speaks, and answers the next turn",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        yield* server.reply({ text: LONG })
        yield* server.hold
        yield* typed(line, "Count.")
        const { responseId } = yield* line.until("ResponseStarted")
        yield* server.hear("Stop!")
        yield* server.reply({ text: "All right." })
        yield* Effect.forkScoped(line.speak)
        // the provider reports either
        yield* Effect.raceFirst(line.until("SpeechStarted"), line.until("Interrupted"))
        yield* line.connection.send({ _tag: "Interrupt", responseId, items: [] })
        yield* server.release
        const { stopReason } = yield* line.until("ResponseDone")
        yield* check(stopReason === "interrupted", `the interrupted reply ended with ${stopReason}`)
        yield* reply(line, 2)
        yield* check(
          spoken(line).endsWith("All right.") || spoken(line).trimEnd().endsWith("All right."),
          "there was no reply"
        )
      }).pipe(Effect.provide(model))
  },
  {
    name: "keeps in the history what was heard when it is interrupted while audible",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const call = yield* start({}, speaker)
        yield* server.reply({ text: LONG })
        yield* call.send("Count.")
        yield* call.until("ResponseComplete")
        yield* check(Duration.toMillis(speaker.played()) < 3000, "a reply is generated no faster than it plays")
        yield* Effect.sleep("300 millis")
        yield* server.reply({ text: "All right." })
        yield* call.send("Stop!")
        yield* check(call.all("Interruption").length === 1, "there was not exactly one interruption")
        yield* call.awaitIdle
        const texts = (yield* call.said).map(({ text }) => text)
        const [cut = "", next] = texts.length === 1 ? ["", texts[0]] : texts
        yield* check(LONG.startsWith(cut) && cut.length < LONG.length, `the history holds "${cut}"`)
        yield* check(next === "All right.", "the next reply is missing")
        yield* check(speaker.heard().length === 2, "the next reply was not heard")
      }).pipe(Effect.provide(model))
  },
  {
    name: "reports usage",
    run: ({ model }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        for (const n of [1, 2]) {
          yield* typed(line, "Hello.")
          yield* reply(line, n)
          yield* line.until("Usage", n)
        }
        for (const usage of line.all("Usage")) {
          yield* check(
            usage.totalTokens === usage.inputTokens + usage.outputTokens,
            "totalTokens is not the sum of input and output"
          )
          const parts = usage.byModality.reduce((sum, part) => sum + part.inputTokens + part.outputTokens, 0)
          yield* check(parts <= usage.totalTokens, "the modalities have more tokens than the total")
          const known = line.all("ResponseStarted").some(({ responseId }) => responseId === usage.responseId)
          yield* check(usage.responseId === undefined || known, "usage names a response that never started")
        }
        const total = line.all("Usage").reduce((sum, usage) => sum + usage.totalTokens, 0)
        yield* check(total > 0, "no usage was reported")
        const replies = new Set(line.all("Usage").flatMap(({ responseId }) => responseId ?? []))
        yield* check(replies.size === 2, "usage does not name each response")
      }).pipe(Effect.provide(model))
  },
  {
    name: "takes an image, or fails with Unsupported",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        const image = { _tag: "ImageInput", image: pixel, mimeType: "image/png" } as const
        const sent = yield* Effect.result(call.send(["What is this?", image]))
        if (call.model.capabilities.images) {
          yield* check(sent._tag === "Success", "an image was refused")
          yield* server.received("What is this?")
          yield* server.received(PIXEL.slice(0, 24))
          yield* call.awaitIdle
        } else {
          yield* check(
            sent._tag === "Failure" && sent.failure.reason._tag === "Unsupported",
            "an image was not refused"
          )
        }
      }).pipe(Effect.provide(model))
  },
  {
    name: "takes manual turns, or fails with Unsupported",
    run: ({ manual, model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        if (manual === undefined) {
          const refusal = yield* failing("a manual turn", call.send({ _tag: "TurnStart" }))
          return yield* check(refusal.reason._tag === "Unsupported", "a manual turn was not refused")
        }
        yield* server.hear("Over.")
        yield* server.reply({ text: "Roger." })
        yield* call.send({ _tag: "TurnStart" })
        yield* call.send({ _tag: "AudioInput", audio: tone(call.model.input, 25), ...call.model.input })
        yield* call.send({ _tag: "TurnCommit" })
        yield* call.awaitIdle
        yield* checkSaid(call, "Roger.")
      }).pipe(Effect.provide(manual ?? model))
  },
  {
    name: "refuses a manual turn without audio, and goes on",
    run: ({ manual, server }) =>
      manual === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* call.send({ _tag: "TurnStart" })
            const refusal = yield* failing("a turn without audio", call.send({ _tag: "TurnCommit" }))
            yield* check(refusal.reason._tag === "InvalidRequest", `it was refused with ${refusal.reason._tag}`)
            yield* call.awaitIdle
            yield* server.hear("Over.")
            yield* server.reply({ text: "Roger." })
            yield* call.send({ _tag: "AudioInput", audio: tone(call.model.input, 25), ...call.model.input })
            yield* call.send({ _tag: "TurnCommit" })
            yield* call.untilSaid("Roger.")
            yield* call.awaitIdle
            yield* checkSaid(call, "Roger.")
          }).pipe(Effect.provide(manual))
  },
  {
    name: "replies on request, by the instructions given",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        yield* server.reply({ text: "Welcome." })
        yield* call.respond({ instructions: "Greet the visitor." })
        yield* server.received("Greet the visitor.")
        yield* call.untilSaid("Welcome.")
        yield* call.awaitIdle
        yield* checkSaid(call, "Welcome.")
      }).pipe(Effect.provide(model))
  },
  {
    name: "takes a note without a reply, or fails with Unsupported",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const call = yield* start()
        const told = yield* Effect.result(call.note("The visitor wears a red coat."))
        if (told._tag === "Failure") {
          return yield* check(told.failure.reason._tag === "Unsupported", `it fails with ${told.failure.reason._tag}`)
        }
        yield* call.awaitIdle
        yield* server.reply({ text: "Red." })
        yield* call.send("Which coat is it?")
        yield* server.received("red coat")
        yield* call.untilSaid("Red.")
        yield* call.awaitIdle
        yield* checkSaid(call, "Red.")
      }).pipe(Effect.provide(model))
  }
]

// black
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

const pixel = Result.getOrThrow(Base64.decode(PIXEL))
