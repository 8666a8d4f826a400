/**
 * Both directions at once, for minutes: `tsx packages/audio/test/measure/soak.ts --backend pulse --minutes 10`.
 *
 * A tone goes into the microphone of a virtual card and another out of its speaker, without a pause. Printed in the end:
 * what was lost, where either tone has a break, memory and processor. Fails when a frame was lost on our side.
 */
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as AudioIO from "../../src/AudioIO.ts"
import type { BackendName } from "../../src/Options.ts"
import { bytesOf, samplesOf } from "../../src/internal/signal/samples.ts"
import { conversation, speech } from "../support/conversation.ts"
import { Breaks, tone } from "../support/signal.ts"
import * as Card from "../support/soundCard.ts"

const { values } = parseArgs({
  options: { backend: { type: "string", default: "pulse" }, minutes: { type: "string", default: "1" } }
})
const backend = values.backend as BackendName
const length = Number(values.minutes) * 60_000
const RATE = 24_000

/** Kilobytes that a process holds. */
const memory = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const children = (): ReadonlyArray<number> =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number)

const megabytes = (kilobytes: number) => `${(kilobytes / 1024).toFixed(1)} MB`

const main = Effect.gen(function* () {
  const audio = yield* AudioIO.AudioIO
  const sink = yield* audio.output.open
  const uplink = new Breaks(440, RATE)
  yield* audio.input
    .run((event) => {
      if (event._tag === "AudioInput") uplink.push(samplesOf(event.audio))
      return undefined
    })
    .pipe(Effect.forkChild)
  yield* card.hum(440)
  const downlink = new Breaks(660, Card.MONITOR_RATE)
  yield* card.listen((samples) => downlink.push(samples))
  yield* Effect.sleep("2 seconds")

  // a tone whose seconds join without a seam, two seconds ahead of the speaker
  const second = bytesOf(tone(660, 1, RATE))
  const position = sink.playback as () => Duration.Duration
  let given = 0
  const talk = Effect.gen(function* () {
    while (true) {
      while (given * 1000 - Duration.toMillis(position()) < 2000) {
        for (let at = 0; at < second.length; at += 4800) {
          sink.offer(speech(second.slice(at, at + 4800)))
        }
        given++
      }
      yield* Effect.sleep("200 millis")
    }
  })
  yield* Effect.forkChild(talk)
  yield* Effect.sleep("2 seconds")

  const names = children()
  const sample = () => ({ us: memory(process.pid), children: names.map(memory).reduce((a, b) => a + b, 0) })
  uplink.reset()
  downlink.reset()
  const before = { at: performance.now(), cpu: process.cpuUsage(), memory: sample(), captured: audio.counts().captured }
  const every = Math.max(1000, length / 10)
  const memories: Array<number> = []
  while (performance.now() - before.at < length) {
    yield* Effect.sleep(every)
    memories.push(sample().us)
  }
  const seconds = (performance.now() - before.at) / 1000
  const { dropped, refused } = audio.counts()
  const captured = audio.counts().captured - before.captured
  const cpu = process.cpuUsage(before.cpu)
  const after = sample()
  yield* Console.log(
    [
      `backend            ${audio.backend}`,
      `duration           ${seconds.toFixed(1)} s`,
      `captured           ${captured} samples, ${(captured / seconds).toFixed(1)} a second`,
      `dropped            ${dropped} in, ${refused} out`,
      `breaks             ${uplink.count} in, ${downlink.count} out (the virtual card's own included)`,
      `memory             ${megabytes(before.memory.us)} -> ${megabytes(after.us)} (${memories.map((kb) => (kb / 1024).toFixed(0)).join(" ")})`,
      `memory, children   ${megabytes(before.memory.children)} -> ${megabytes(after.children)}`,
      `processor          ${(((cpu.user + cpu.system) / 1e6 / seconds) * 100).toFixed(1)} % of a core, this process and its two monitors`
    ].join("\n")
  )
  if (dropped + refused > 0) process.exitCode = 1
}).pipe(
  Effect.scoped,
  Effect.provideService(CurrentConversation, conversation),
  Effect.provide(AudioIO.layer({ backend }))
)

const card = Card.open()
try {
  await Effect.runPromise(main)
} finally {
  card.close()
}
