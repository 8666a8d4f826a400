/** The whole way on a virtual sound card, with real programs, real sockets and the real clock. */
import * as BidiAgent from "@effect-bidi/core/BidiAgent"
import type { Output } from "@effect-bidi/core/BidiEvent"
import { CurrentConversation } from "@effect-bidi/core/CurrentConversation"
import { afterAll, assert, beforeAll, describe, it, vi } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { execFileSync, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as AudioIO from "../../src/AudioIO.ts"
import type { BackendName } from "../../src/Options.ts"
import { bytesOf } from "../../src/internal/signal/samples.ts"
import { extent, likeness, tone } from "../support/signal.ts"
import * as Card from "../support/soundCard.ts"
import * as Talk from "../support/talk.ts"
import { conversation, speech } from "../support/conversation.ts"

/** The part of `samples` between the first and the last loud one. */
const core = (samples: Int16Array): Int16Array => {
  const { first, last } = extent(samples)!
  return samples.slice(first, last)
}

/** Reads again and again until `holds`, for up to 15 s; then it is for the test to judge. */
const eventually = <A>(read: () => A, holds: (value: A) => boolean) =>
  Effect.sync(read).pipe(
    Effect.delay("50 millis"),
    Effect.repeat({ until: holds }),
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.sync(read) })
  )

const backends: ReadonlyArray<BackendName> =
  Card.hasAlsaPlugin() && Card.hasPortAudio ? ["pulse", "portaudio"] : ["pulse"]
if (Card.missing !== undefined) console.warn(`skipped: ${Card.missing}`)
else if (!Card.hasAlsaPlugin()) console.warn("portaudio skipped: apt-get install libasound2-plugins")
else if (!Card.hasPortAudio) console.warn("portaudio skipped: naudiodon was not built when it was installed")

vi.setConfig({ testTimeout: 60_000 })

describe.skipIf(Card.missing !== undefined)("on a virtual sound card", () => {
  let card: ReturnType<typeof Card.open>
  beforeAll(() => {
    card = Card.open()
  })
  afterAll(() => card.close())

  describe.each(backends)("%s", (backend) => {
    const layer = AudioIO.layer({ backend })

    it.live("lists the devices, one default for each direction", () =>
      Effect.gen(function* () {
        const devices = yield* AudioIO.devices({ backend })
        for (const direction of ["input", "output"] as const) {
          const found = devices.filter((device) => device.direction === direction)
          assert.strictEqual(found.filter(({ isDefault }) => isDefault).length, 1)
          for (const { channels, sampleRate } of found) assert.isTrue(channels > 0 && sampleRate >= 8000)
        }
      })
    )

    it.live("a device that does not exist is an error that lists the devices there are", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Effect.scoped(Layer.build(AudioIO.layer({ backend, inputDevice: "no such thing" })))
        )
        assert.strictEqual(error.reason._tag, "DeviceNotFound")
        const known = error.reason._tag === "DeviceNotFound" ? error.reason.known : []
        assert.isNotEmpty(known)
        for (const name of known) assert.include(error.message, name)
      })
    )

    it.live.skipIf(!Card.canSpeak)(
      "a spoken question is heard by the model as it was said, and its answer is on the speaker",
      () =>
        Effect.gen(function* () {
          const { agent, emulator } = yield* Talk.make()
          const audio = yield* AudioIO.AudioIO
          // at the model's rate, so that no other resampling is compared
          const spoken = yield* Talk.speech("what time is it")
          const events: Array<Output> = []
          const call = yield* agent.start({
            inputs: [audio.input],
            outputs: [audio.output],
            hooks: [BidiAgent.on("TranscriptStream", (event) => Effect.sync(() => void events.push(event)))]
          })
          const monitor = yield* card.record
          yield* listening(audio)
          yield* card.speak(Talk.wavFile("question", spoken, Talk.RATE))
          yield* emulator.awaitSent("response.output_audio.done")
          yield* call.awaitIdle
          // the monitor is behind by a little
          const said = core(yield* Talk.said(emulator))
          yield* eventually(
            () => monitor.pcm(),
            (pcm) => (extent(pcm.slice(-2400))?.last ?? 0) === 0
          )
          assert.isAbove(likeness(monitor.pcm(), said), 0.9)
          assert.isAbove(likeness(yield* Talk.heard(emulator), core(spoken)), 0.99)
          const texts = events.flatMap((event) => (event._tag === "TranscriptStream" && event.isFinal ? [event] : []))
          assert.isTrue(
            texts.some(({ currentTranscript, role }) => role === "user" && /time/.test(currentTranscript ?? ""))
          )
          assert.isTrue(
            texts.some(({ currentTranscript, role }) => role === "assistant" && /time is/.test(currentTranscript ?? ""))
          )
          assert.strictEqual(audio.counts().dropped, 0)
          yield* call.stop()
        }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.live("a flush drops what waits, counts what was heard, and the next reply is whole", () =>
      Effect.gen(function* () {
        const { play, sink } = yield* playing
        const monitor = yield* card.record
        play(tone(440, 5, Talk.RATE))
        yield* Effect.sleep("700 millis")
        yield* sink.flush
        const heard = played(sink)
        const first = yield* sounded(monitor, 0)
        assert.approximately(audibleSeconds(first), heard / 1000, 0.05)
        assert.isBelow(heard, 3000)
        assert.isAbove(likeness(first, tone(440, 0.4, Talk.RATE)), 0.99)
        // nothing of what was dropped comes back
        const from = monitor.pcm().length
        play(tone(660, 0.5, Talk.RATE))
        yield* eventually(
          () => played(sink),
          (now) => now >= heard + 500
        )
        const second = yield* sounded(monitor, from)
        assert.approximately(played(sink) - heard, 500, 0.01)
        assert.isAbove(likeness(second, tone(660, 0.4, Talk.RATE)), 0.99)
        assert.approximately(audibleSeconds(second), 0.5, 0.02)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.live("a device at a rate of its own: what is played is the same", () =>
      Effect.gen(function* () {
        const { play, sink } = yield* playing
        const monitor = yield* card.record
        play(tone(660, 0.6, Talk.RATE))
        yield* eventually(
          () => played(sink),
          (now) => now >= 600
        )
        assert.strictEqual(Math.round(played(sink)), 600)
        const sound = yield* sounded(monitor, 0)
        assert.isAbove(likeness(sound, tone(660, 0.6, Talk.RATE).slice(480, -480)), 0.9)
      }).pipe(Effect.scoped, Effect.provide(AudioIO.layer({ backend, deviceRate: 44_100 })))
    )

    it.live("some seconds of both directions at once lose nothing", () =>
      Effect.gen(function* () {
        const soak = fileURLToPath(new URL("../measure/soak.ts", import.meta.url))
        const tsx = fileURLToPath(import.meta.resolve("tsx/cli"))
        const [code, out] = yield* Effect.callback<readonly [number | null, string]>((resume) => {
          const child = spawn(process.execPath, [tsx, soak, "--backend", backend, "--minutes", "0.1"], {
            stdio: ["ignore", "pipe", "inherit"]
          })
          let out = ""
          child.stdout.on("data", (text) => void (out += text))
          child.on("close", (code) => resume(Effect.succeed([code, out])))
          return Effect.sync(() => void child.kill("SIGKILL"))
        })
        assert.strictEqual(code, 0)
        assert.include(out, "0 in, 0 out")
      })
    )

    it.live("a pause keeps the rest, to the sample", () =>
      Effect.gen(function* () {
        const { play, sink } = yield* playing
        const monitor = yield* card.record
        play(tone(440, 1.5, Talk.RATE))
        yield* Effect.sleep("500 millis")
        yield* sink.pause!
        const heard = played(sink)
        yield* Effect.sleep("500 millis")
        assert.strictEqual(played(sink), heard)
        assert.isUndefined(extent(monitor.pcm().slice(-2400)))
        yield* sink.resume!
        yield* eventually(
          () => played(sink),
          (now) => now >= 1500
        )
        const all = yield* sounded(monitor, 0)
        assert.approximately(audibleSeconds(all), 1.5, 0.05)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.live("the sound server is killed and started again: the conversation goes on", () =>
      Effect.gen(function* () {
        const { agent, emulator } = yield* Talk.make({ voice: "tones" })
        const audio = yield* AudioIO.AudioIO
        let stillLost = 2
        const events = yield* audio.events.pipe(
          Stream.takeUntil((event) => event._tag === "DeviceOpened" && event.again && --stillLost === 0),
          Stream.runCollect,
          Effect.forkChild({ startImmediately: true })
        )
        const call = yield* agent.start({ inputs: [audio.input], outputs: [audio.output] })
        yield* listening(audio)
        yield* call.send("Tell me a story.")
        yield* emulator.awaitSent("response.output_audio.delta", 10)
        card.stop()
        card.start()
        const seen = yield* Fiber.join(events)
        const directions = seen.filter(({ _tag }) => _tag === "DeviceLost").map(({ direction }) => direction)
        assert.includeMembers(directions, ["input", "output"])
        // what was not heard yet is heard now, and the microphone is heard again
        const monitor = yield* card.record
        yield* eventually(
          () => monitor.pcm(),
          (pcm) => extent(pcm) !== undefined
        )
        yield* listening(audio)
        yield* call.interrupt()
        yield* call.send("Who are you?")
        yield* call.awaitIdle
        yield* call.stop()
        yield* call.await
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.live("an application that is killed leaves no child behind", () =>
      Effect.gen(function* () {
        const program = fileURLToPath(new URL("../support/holdDevices.ts", import.meta.url))
        const tsx = fileURLToPath(import.meta.resolve("tsx/cli"))
        const child = spawn(process.execPath, [tsx, program, backend], {
          stdio: ["ignore", "pipe", "inherit"],
          detached: true
        })
        const pids = yield* Effect.callback<ReadonlyArray<number>>((resume) => {
          child.stdout.once("data", (line) => resume(Effect.succeed(JSON.parse(String(line)))))
        })
        assert.isAtLeast(pids.length, 3) // itself, a microphone and a speaker
        // the group of tsx and the program, but none of the children: those notice by themselves
        process.kill(pids[0]!, "SIGKILL")
        const left = yield* eventually(
          () => pids.filter(alive),
          (left) => left.length === 0
        )
        assert.deepStrictEqual(left, [])
      })
    )
  })

  it.live("auto takes the sound server", () =>
    Effect.gen(function* () {
      const { backend } = yield* AudioIO.AudioIO
      assert.strictEqual(backend, "pulse")
    }).pipe(Effect.provide(AudioIO.layer()))
  )
})

const alive = (pid: number): boolean => {
  try {
    // one that has ended and was not fetched yet is not alive
    return !execFileSync("ps", ["-o", "stat=", "-p", `${pid}`], { encoding: "utf8" }).startsWith("Z")
  } catch {
    return false
  }
}

/** An open speaker without a conversation around it. */
const playing = Effect.gen(function* () {
  const audio = yield* AudioIO.AudioIO
  const sink = yield* Effect.provideService(audio.output.open, CurrentConversation, conversation)
  return {
    sink,
    // in frames of 100 ms, as a model would
    play: (samples: Int16Array) => {
      for (let at = 0; at < samples.length; at += 2400) {
        sink.offer(speech(bytesOf(samples.slice(at, at + 2400))))
      }
    }
  }
})

/** Waits for another tenth of a second from the microphone. */
const listening = ({ counts }: { readonly counts: () => { readonly captured: number } }) =>
  Effect.suspend(() => {
    const before = counts().captured
    return eventually(
      () => counts().captured,
      (now) => now > before + Talk.RATE / 10
    )
  })

const played = ({ playback }: { readonly playback: unknown }): number =>
  Duration.toMillis((playback as () => Duration.Duration)())

/** How much of a tone there is, without the gaps that a busy machine makes: nearly all of its samples are loud. */
const audibleSeconds = (pcm: Int16Array): number => {
  const loud = (samples: Int16Array) => samples.filter((sample) => Math.abs(sample) > 200).length
  return loud(pcm) / loud(tone(440, 1, Talk.RATE))
}

/** What sounded since a sample of the recording, once it is silent again. */
const sounded = (monitor: Card.Recording, from: number) =>
  eventually(
    () => monitor.pcm().slice(from),
    (pcm) => extent(pcm) !== undefined && extent(pcm.slice(-2400)) === undefined
  ).pipe(Effect.map(core))
