/**
 * A virtual sound card for the tests of one file, and hands on both of its ends.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { bytesOf, samplesOf } from "../../src/internal/signal/samples.ts"
import { tone } from "./signal.ts"

const script = fileURLToPath(new URL("../../../../scripts/virtual-sound-card.sh", import.meta.url))

const installed = (program: string) => spawnSync("which", [program]).status === 0

/** Why there can be no virtual card here, or `undefined`. */
export const missing = ["pulseaudio", "pactl", "parec", "pacat"].every(installed)
  ? undefined
  : "PulseAudio is not installed (apt-get install pulseaudio pulseaudio-utils)"

export const canSpeak = installed("espeak-ng")

/** The file name of the ALSA plugin that leads PortAudio to the virtual card. */
export const hasAlsaPlugin = (): boolean =>
  spawnSync("sh", [
    "-c",
    "ls /usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so /usr/lib/alsa-lib/libasound_module_pcm_pulse.so"
  ])
    .stdout.toString()
    .includes("pulse")

const naudiodon = () => {
  try {
    return dirname(createRequire(import.meta.url).resolve("naudiodon/package.json"))
  } catch {
    return "nowhere"
  }
}

/** `naudiodon` is optional, and so is building it. */
export const hasPortAudio = existsSync(join(naudiodon(), "build", "Release", "naudiodon.node"))

/** The rate at which the monitor of the speaker is recorded. */
export const MONITOR_RATE = 24_000

export interface Recording {
  /** What was recorded so far. */
  readonly pcm: () => Int16Array
  /** When the sample with this number sounded, in milliseconds of `performance.now()`. */
  readonly timeOf: (sample: number) => number
}

export interface SoundCard {
  readonly stop: () => void
  readonly start: () => void
  /** Plays a WAV file into the microphone; succeeds when it has been played. */
  readonly speak: (file: string) => Effect.Effect<void>
  /** Records what the speaker plays, for as long as the scope lives. */
  readonly record: Effect.Effect<Recording, never, Scope.Scope>
  /** Records what is spoken into the microphone, as it arrives at it. */
  readonly overhear: Effect.Effect<Recording, never, Scope.Scope>
  /** A tone in the microphone, without end, for as long as the scope lives. */
  readonly hum: (hertz: number) => Effect.Effect<void, never, Scope.Scope>
  /** What the speaker plays, piece by piece at `MONITOR_RATE`, for as long as the scope lives. */
  readonly listen: (onSound: (samples: Int16Array) => void) => Effect.Effect<void, never, Scope.Scope>
  readonly pactl: (...args: ReadonlyArray<string>) => string
}

/** Starts a card, and points this process and its children at it. */
export const open = (): SoundCard & { readonly close: () => void } => {
  const dir = mkdtempSync(join(tmpdir(), "card-"))
  const start = () => {
    const environment = execFileSync(script, ["start", dir], { encoding: "utf8" })
    for (const line of environment.trim().split("\n")) {
      const [name, value] = line.split("=", 2)
      process.env[name!] = value
    }
  }
  const stop = () => void execFileSync(script, ["stop", dir])
  start()
  return {
    start,
    stop,
    close: () => {
      stop()
      rmSync(dir, { recursive: true })
    },
    pactl: (...args) => execFileSync("pactl", args, { encoding: "utf8" }),
    speak: (file) =>
      Effect.callback<void>((resume) => {
        const child = spawn("paplay", ["--device=micfeed", file], { stdio: "ignore" })
        child.on("close", () => resume(Effect.void))
        return Effect.sync(() => void child.kill("SIGKILL"))
      }),
    hum: (hertz) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const child = spawn("pacat", ["--playback", "--device=micfeed", ...shape, "--latency-msec=200"], {
            stdio: ["pipe", "ignore", "ignore"]
          })
          child.stdin.on("error", () => {})
          // a second of whole waves, again and again
          const second = Buffer.from(bytesOf(tone(hertz, 1, MONITOR_RATE)))
          const fill = () => {
            while (child.stdin.write(second)) {}
          }
          child.stdin.on("drain", fill)
          fill()
          return child
        }),
        (child) => Effect.sync(() => void child.kill("SIGKILL"))
      ),
    listen: (onSound) => listen(onSound, "speaker.monitor"),
    record: record("speaker.monitor"),
    overhear: record("micfeed.monitor")
  }
}

const record = (device: string) =>
  Effect.gen(function* () {
    const chunks: Array<Int16Array> = []
    let size = 0
    let began = Infinity
    yield* listen((samples) => {
      chunks.push(samples)
      size += samples.length
      // the piece that was least late tells when the first sample was
      began = Math.min(began, performance.now() - (size / MONITOR_RATE) * 1000)
    }, device)
    return {
      pcm: () => samplesOf(Buffer.concat(chunks.map(bytesOf))),
      timeOf: (sample) => began + (sample / MONITOR_RATE) * 1000
    } satisfies Recording
  })

const shape = ["--raw", "--format=s16le", `--rate=${MONITOR_RATE}`, "--channels=1"]

const listen = (onSound: (samples: Int16Array) => void, device: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn("parec", [`--device=${device}`, ...shape, "--latency-msec=5"], {
        stdio: ["ignore", "pipe", "ignore"]
      })
    ),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  ).pipe(
    Effect.flatMap((child) =>
      Effect.callback<void>((resume) => {
        let odd = Buffer.alloc(0)
        child.stdout.on("data", (chunk: Buffer) => {
          const all = Buffer.concat([odd, chunk])
          const whole = all.length - (all.length % 2)
          odd = all.subarray(whole)
          onSound(samplesOf(all.subarray(0, whole)))
          resume(Effect.void)
        })
      })
    )
  )
