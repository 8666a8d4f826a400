/**
 * How long things take on a virtual sound card: `tsx packages/audio/test/measure/latency.ts --backend pulse --rounds 10`.
 *
 * The emulator tells a story over a real socket; after a while somebody says a word into the microphone. All times are taken
 * where sound enters and leaves the card, so they hold everything: card, programs, sockets, the emulator's ear. The card is
 * software; hardware adds its own.
 */
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import * as AudioIO from "../../src/AudioIO.ts"
import type { BackendName } from "../../src/Options.ts"
import { extent, tone } from "../support/signal.ts"
import * as Card from "../support/soundCard.ts"
import * as Talk from "../support/talk.ts"

const { values } = parseArgs({
  options: { backend: { type: "string", default: "pulse" }, rounds: { type: "string", default: "10" } }
})

const epoch = (at: number) => at - performance.timeOrigin

const middle = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
const row = (name: string, numbers: ReadonlyArray<number>) =>
  `${name.padEnd(58)} ${[Math.min(...numbers), middle(numbers), Math.max(...numbers)].map((n) => n.toFixed(1).padStart(7)).join(" ")}`

const main = Effect.gen(function* () {
  const audio = yield* AudioIO.AudioIO
  const word = Talk.wavFile("word", tone(300, 0.6, Talk.RATE, 0.5), Talk.RATE)
  const start: Array<number> = []
  const person: Array<number> = []
  const provider: Array<number> = []
  const difference: Array<number> = []

  for (let round = 0; round < Number(values.rounds); round++) {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { agent, emulator } = yield* Talk.make({ voice: "tones", latency: 0, transcribe: () => "" })
        let heard: number | undefined
        const call = yield* agent.start({
          inputs: [audio.input],
          outputs: [audio.output],
          hooks: [
            BidiAgent.on("Interruption", (event) => Effect.sync(() => (heard ??= Duration.toMillis(event.heard))))
          ]
        })
        const speaker = yield* card.record
        const microphone = yield* card.overhear
        yield* Effect.sleep("700 millis")
        yield* call.send("Tell me a long story.")
        const first = yield* emulator.awaitSent("response.output_audio.delta")
        // not always at the same place between two frames
        yield* Effect.sleep(900 + round * 37)
        yield* card.speak(word)
        const cut = yield* emulator.awaitSent("input_audio_buffer.speech_started")
        yield* Effect.sleep("400 millis")
        const story = extent(speaker.pcm())!
        const silent = speaker.timeOf(story.last)
        start.push(speaker.timeOf(story.first) - epoch(first.at))
        person.push(silent - microphone.timeOf(extent(microphone.pcm())!.first))
        provider.push(silent - epoch(cut.at))
        // the story may begin with a soft sample, so this is the length from its first to its last loud one
        if (heard !== undefined) difference.push(((story.last - story.first) * 1000) / Card.MONITOR_RATE - heard)
        yield* call.stop()
      })
    )
  }
  yield* Console.log(
    [
      `${audio.backend}, ${values.rounds} rounds, milliseconds${" ".repeat(27)}least  middle    most`,
      row("first frame sent by the provider -> sound", start),
      row("somebody speaks into the microphone -> silence", person),
      row("speech_started sent by the provider -> silence", provider),
      row("recorded - reported as heard", difference)
    ].join("\n")
  )
}).pipe(Effect.scoped, Effect.provide(AudioIO.layer({ backend: values.backend as BackendName })))

const card = Card.open()
try {
  await Effect.runPromise(main)
} finally {
  card.close()
}
