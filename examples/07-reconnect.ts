// Providers end every connection after some minutes. Here each lasts 20 seconds at most, and some are lost earlier. A story that
// is longer than any of them is still heard from the first word to the last, each word once.
import { BidiAgent } from "@effect-bidi/core"
import * as BidiConsole from "@effect-bidi/core/BidiConsole"
import * as BidiTest from "@effect-bidi/core/BidiTest"
import { Assistant, Fault, Voice } from "@effect-bidi/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Duration, Effect, Metric } from "effect"
import { emulated, Logging } from "./environment.ts"

const REQUEST = "Tell me a long story."

const Main = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ instructions: "You are a storyteller." })
  const speaker = yield* BidiTest.speaker() // plays in real time, without a sound card
  const replaced: Array<string> = []
  let lostAt = 0

  const call = yield* agent.start({
    outputs: [speaker.output, BidiConsole.output()],
    hooks: [
      BidiAgent.on("ConnectionRestart", ({ reason }) =>
        Effect.sync(() => {
          lostAt = Date.now()
          replaced.push(reason)
        })
      ),
      BidiAgent.on("ConnectionStart", ({ generation }) =>
        Effect.sync(() => {
          if (generation > 1) replaced.push(`connection ${generation}, after ${Date.now() - lostAt} ms`)
        })
      )
    ]
  })
  const ask = (question: string) =>
    Console.log(`> ${question}`).pipe(Effect.andThen(call.send(question)), Effect.andThen(call.awaitIdle))

  yield* ask("My name is Ada.")
  yield* ask(REQUEST)

  // what is in the history of a reply that was cut is what was heard of it
  const { content } = yield* call.history
  const heard = content
    .slice(3)
    .flatMap(({ content, role }) =>
      role === "assistant" ? content.flatMap((part) => (part.type === "text" ? words(part.text) : [])) : []
    )
  // whoever is cut off between the last word and the end of the reply is asked to go on, and says that there is no more
  const told = heard.slice(0, words(story).length)
  const whole = told.join(" ") === words(story).join(" ")
  yield* Console.log(
    `\n${whole ? "The whole story was heard" : "Words were lost or said twice"}: ${told.length} of ${words(story).length} words, ` +
      `${Duration.toSeconds(speaker.played()).toFixed(0)} s of speech.`
  )
  yield* Console.log(`Connections: ${replaced.join("; ")}.`)
  for (const line of gaps(yield* Metric.snapshot)) yield* Console.log(line)

  yield* ask("What is my name?")
  if (!whole) return yield* Effect.die(new Error("the story has a gap"))
}).pipe(Effect.scoped)

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "")

/** How long there was no connection, and how long a reply that was cut was silent, as the metrics of the runtime tell. */
const gaps = (metrics: ReadonlyArray<Metric.Metric.Snapshot>) =>
  metrics.flatMap((metric) =>
    metric.type === "Histogram" && metric.id.startsWith("bidi_")
      ? [`${metric.id}: ${metric.state.count} times, ${Math.round(metric.state.max)} ms at most`]
      : []
  )

const { text: story = "" } = Assistant.scripted({
  history: [{ role: "user", text: REQUEST, images: [] }],
  tools: [],
  toolChoice: "auto",
  parallelCalls: true,
  instructions: undefined
})

// a voice that speaks quickly, and a model that generates hardly faster than it speaks
const voice: Voice.Voice = {
  kind: "tones",
  speak: (text, style) => Voice.tones.speak(text, { ...style, speed: 3 })
}
const Model = emulated({
  sessionLimit: "20 seconds",
  speed: 1.1,
  voice,
  // and each is lost when a second reply is asked for: the question is asked again, by nobody who would notice
  faults: [Fault.drop(Fault.afterReceived("response.create", 2))]
})

Main.pipe(Effect.provide([Model, Logging]), NodeRuntime.runMain)
