/**
 * Turns of talk: typed, spoken, shown, interrupted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Audio from "../Audio.ts"
import * as BidiAgent from "../BidiAgent.ts"
import * as BidiTest from "../BidiTest.ts"
import { checkSaid, start } from "./call.ts"
import type { Scenario } from "./lab.ts"
import { check, connect, failing, type Line, spoken } from "./line.ts"
import { tone } from "./voice.ts"

const LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"

const typed = (line: Line, text: string) =>
  line.connection.send({ _tag: "UserMessage", id: crypto.randomUUID().replaceAll("-", ""), parts: [text] })

/** The reply, from its start to its end, in the order of the contract. */
const reply = Effect.fnUntraced(function* (line: Line, times = 1) {
  const { responseId } = yield* line.until("ResponseStarted", times)
  const { stopReason } = yield* line.until("ResponseDone", times)
  const events = line.events()
  const own = events.filter((event) => "responseId" in event && event.responseId === responseId)
  yield* check(own[0]?._tag === "ResponseStarted", "something of a response came before its start")
  yield* check(own.at(-1)?._tag === "ResponseDone", "something of a response came after its end")
  return { responseId, stopReason }
})

export const talk: ReadonlyArray<Scenario> = [
  {
    name: "is told its part and its tools, and says who it is",
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
    name: "answers what was typed, with speech and its words",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        yield* server.reply({ text: "It is a fine day." })
        yield* typed(line, "How is the weather?")
        yield* server.received("How is the weather?")
        const { responseId, stopReason } = yield* reply(line)
        yield* check(stopReason === "complete", `a finished reply ended with ${stopReason}`)
        yield* check(spoken(line).trim() === "It is a fine day.", `the words were "${spoken(line)}"`)
        const finals = line.all("TranscriptDone").filter((event) => event.role === "assistant")
        yield* check(finals.length === 1, `there were ${finals.length} final transcripts of one reply`)
        yield* check(finals[0]?.text.trim() === "It is a fine day.", `the final words were "${finals[0]?.text}"`)
        const audio = line.all("AudioDelta")
        yield* check(audio.length > 0, "there was no sound")
        yield* check(
          audio.every((event) => event.responseId === responseId && event.itemId === finals[0]?.itemId),
          "sound and words belong to different items"
        )
        yield* check(
          audio.every((event) => event.audio.length % Audio.frameSize(line.model.output) === 0),
          "a piece of sound is not whole samples"
        )
      }).pipe(Effect.provide(model))
  },
  {
    name: "hears speech, takes the turn, and answers it",
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
          "the user's words are missing"
        )
        yield* check(heard.itemId === itemId, "the user's words do not belong to the user's turn")
        const order = line.events().map((event) => event._tag)
        yield* check(order.indexOf("UserTurn") < order.indexOf("ResponseStarted"), "the answer came before its turn")
      }).pipe(Effect.provide(model))
  },
  {
    name: "falls silent when the user speaks while it generates, and answers the next turn",
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
        // whichever way the provider says so
        yield* Effect.raceFirst(line.until("SpeechStarted"), line.until("Interrupted"))
        yield* line.connection.send({ _tag: "Interrupt", responseId, items: [] })
        yield* server.release
        const { stopReason } = yield* line.until("ResponseDone")
        yield* check(stopReason === "interrupted", `the reply that was cut off ended with ${stopReason}`)
        yield* reply(line, 2)
        yield* check(spoken(line).endsWith("All right.") || spoken(line).trimEnd().endsWith("All right."), "no answer")
      }).pipe(Effect.provide(model))
  },
  {
    name: "remembers what was heard when it is cut off while it is still audible",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const agent = yield* BidiAgent.make({})
        const speaker = yield* BidiTest.speaker()
        const recorder = BidiTest.recorder()
        const call = yield* agent.start({ outputs: [speaker.output, recorder.output] })
        const said = (tag: "Interruption" | "ResponseComplete") =>
          recorder.events().filter((event) => event._tag === tag).length
        yield* server.reply({ text: LONG })
        yield* call.send("Count.")
        while (said("ResponseComplete") === 0) yield* Effect.sleep("10 millis")
        yield* check(Duration.toMillis(speaker.played()) < 3000, "a reply is generated no faster than it plays")
        yield* Effect.sleep("300 millis")
        yield* server.reply({ text: "All right." })
        yield* call.send("Stop!")
        yield* check(said("Interruption") === 1, `there were ${said("Interruption")} interruptions`)
        yield* call.awaitIdle
        const texts = (yield* call.history).content.flatMap((message) =>
          message.role === "assistant" ? message.content.map((part) => (part.type === "text" ? part.text : "")) : []
        )
        const [cut = "", next] = texts.length === 1 ? ["", texts[0]] : texts
        yield* check(LONG.startsWith(cut) && cut.length < LONG.length, `it remembers "${cut}"`)
        yield* check(next?.trim() === "All right.", "the next reply is missing")
        yield* check(speaker.heard().length === 2, "the next reply was not heard")
      }).pipe(Effect.provide(model), Effect.orDie)
  },
  {
    name: "counts what it uses",
    run: ({ model }) =>
      Effect.gen(function* () {
        const line = yield* connect()
        for (const n of [1, 2]) {
          yield* typed(line, "Hello.")
          yield* reply(line, n)
          yield* line.until("Usage", n)
        }
        for (const usage of line.all("Usage")) {
          yield* check(usage.totalTokens === usage.inputTokens + usage.outputTokens, "a sum of tokens is wrong")
          const parts = usage.byModality.reduce((sum, part) => sum + part.inputTokens + part.outputTokens, 0)
          yield* check(parts <= usage.totalTokens, "the parts are more than the sum")
        }
        const total = line.all("Usage").reduce((sum, usage) => sum + usage.totalTokens, 0)
        yield* check(total > 0, "nothing was used")
      }).pipe(Effect.provide(model))
  },
  {
    name: "sees a picture, or says at once that it cannot",
    run: ({ model, server }) =>
      Effect.gen(function* () {
        const agent = yield* BidiAgent.make({})
        const call = yield* agent.start()
        const image = { _tag: "ImageInput", image: PIXEL, mimeType: "image/png" } as const
        const sent = yield* Effect.result(call.send(["What is this?", image]))
        if (call.model.capabilities.images) {
          yield* check(sent._tag === "Success", "a picture was refused")
          yield* server.received("What is this?")
          yield* server.received(Buffer.from(PIXEL).toString("base64").slice(0, 24))
          yield* call.awaitIdle
        } else {
          yield* check(
            sent._tag === "Failure" && sent.failure.reason._tag === "Unsupported",
            "a picture was not refused"
          )
        }
      }).pipe(Effect.provide(model))
  },
  {
    name: "leaves the turns to the application, or says at once that it does not",
    run: ({ manual, model, server }) =>
      Effect.gen(function* () {
        const agent = yield* BidiAgent.make({})
        const call = yield* agent.start()
        if (manual === undefined) {
          const refusal = yield* failing("a manual turn", call.send({ _tag: "TurnStart" }))
          return yield* check(refusal.reason._tag === "Unsupported", "a manual turn was not refused")
        }
        yield* server.hear("Over.")
        yield* server.reply({ text: "Roger." })
        yield* call.send({ _tag: "TurnStart" })
        const tone = Audio.silence(call.model.input, "500 millis").fill(0x30)
        yield* call.send({ _tag: "AudioInput", audio: tone, ...call.model.input })
        yield* call.send({ _tag: "TurnCommit" })
        yield* call.awaitIdle
        const texts = (yield* call.history).content.flatMap((message) =>
          typeof message.content === "string"
            ? []
            : message.content.map((part) => (part.type === "text" ? part.text.trim() : ""))
        )
        yield* check(texts.includes("Roger."), `there was no answer to a manual turn, only ${texts.join(" | ")}`)
      }).pipe(Effect.provide(manual ?? model))
  },
  {
    name: "does not speak to nothing: a turn in which nothing was said is refused, and the talk goes on",
    run: ({ manual, server }) =>
      manual === undefined
        ? Effect.void
        : Effect.gen(function* () {
            const call = yield* start()
            yield* call.send({ _tag: "TurnStart" })
            const refusal = yield* failing("a turn of nothing", call.send({ _tag: "TurnCommit" }))
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
    name: "replies when the application asks for it, by its instructions",
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
    name: "is told a fact and does not answer it, or says that it would",
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

// a black pixel
const PIXEL = Uint8Array.from(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64"
  )
)
