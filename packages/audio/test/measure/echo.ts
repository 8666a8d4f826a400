/**
 * The agent's voice in its own microphone: `tsx packages/audio/test/measure/echo.ts`.
 *
 * On a virtual card the speaker is led back into the microphone, softer and later, as a desk with open speakers would.
 * Printed: how loud the model hears the agent, without and with echo cancellation, by the second.
 */
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as AudioIO from "../../src/AudioIO.ts"
import { bytesOf, samplesOf } from "../../src/internal/signal/samples.ts"
import { decibels, measure } from "../../src/Level.ts"
import { conversation, speech } from "../support/conversation.ts"
import * as Card from "../support/soundCard.ts"
import * as Talk from "../support/talk.ts"

const SECONDS = 8

const run = Effect.fnUntraced(function* (backend: "pulse" | "portaudio", echoCancellation: boolean) {
  const heard: Array<Uint8Array> = []
  const program = Effect.gen(function* () {
    const audio = yield* AudioIO.AudioIO
    const sink = yield* audio.output.open
    yield* audio.input
      .run((event) => {
        if (event._tag === "AudioInput") heard.push(event.audio)
        return undefined
      })
      .pipe(Effect.forkChild)
    yield* Effect.sleep("1 second")
    heard.splice(0)
    const sound = yield* Talk.speech(
      "Day one, the small boat left the harbour with a cargo of oranges and tea. Day two, the wind turned to the west and the captain told the crew to reef the sails before night fell."
    )
    for (let at = 0; at < sound.length; at += 2400) {
      sink.offer(speech(bytesOf(sound.slice(at, at + 2400))))
    }
    yield* Effect.sleep(SECONDS * 1000)
  }).pipe(
    Effect.scoped,
    Effect.provideService(CurrentConversation, conversation),
    Effect.provide(AudioIO.layer({ backend, echoCancellation }))
  )
  yield* program
  const samples = samplesOf(Buffer.concat(heard))
  return Array.from({ length: SECONDS }, (_, second) =>
    decibels(measure(bytesOf(samples.slice(second * Talk.RATE, (second + 1) * Talk.RATE))).rms)
  )
})

const main = Effect.gen(function* () {
  // 70 % of the amplitude, and later by what the loop takes
  card.pactl(
    "load-module",
    "module-loopback",
    "source=speaker.monitor",
    "sink=micfeed",
    "latency_msec=40",
    "adjust_time=0"
  )
  const input = card.pactl("list", "short", "sink-inputs").split("\t")[0]!
  card.pactl("set-sink-input-volume", input, "70%")
  for (const backend of ["pulse", "portaudio"] as const) {
    const off = yield* run(backend, false)
    const on = yield* run(backend, true)
    const numbers = (levels: ReadonlyArray<number>) => levels.map((level) => level.toFixed(1).padStart(7)).join("")
    yield* Console.log(
      `${backend}, dB by the second\n  without ${numbers(off)}\n  with    ${numbers(on)}\n  taken   ${numbers(off.map((level, i) => level - on[i]!))}`
    )
  }
})

const card = Card.open()
try {
  await Effect.runPromise(main)
} finally {
  card.close()
}
