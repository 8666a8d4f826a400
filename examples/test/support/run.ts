/**
 * Examples as a person would run them: `node examples/NN-name.ts`, with no key and no network.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The folder of the examples. */
export const folder = fileURLToPath(new URL("../..", import.meta.url))
const card = fileURLToPath(new URL("../../../scripts/virtual-sound-card.sh", import.meta.url))
export const hasCard = ["pulseaudio", "pactl", "pacat"].every(
  (program) => spawnSync(program, ["--version"]).status === 0
)
const credentials = /^(OPENAI_|GOOGLE_|GEMINI_|AWS_|VOICE_PROVIDER)/
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !credentials.test(name)))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

interface Options {
  readonly input?: string
  readonly stopWhen?: string
  readonly env?: NodeJS.ProcessEnv
  readonly args?: ReadonlyArray<string>
  /** With a sound card of software. */
  readonly card?: boolean
}

/** Runs an example; `stopWhen` interrupts it as Ctrl+C would, once it has printed that. */
export const run = (name: string, options: Options = {}) =>
  Effect.callback<Ran>((resume) => {
    const command = [process.execPath, name, ...(options.args ?? [])]
    const [program = "", ...args] = options.card === true ? [card, "run", ...command] : command
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...env, LOG_LEVEL: "warn", ...options.env },
      detached: true // a group of its own, to be killed whole
    })
    let out = ""
    let errors = ""
    let stopped = false
    child.stdout.on("data", (chunk) => {
      out += chunk
      if (stopped || options.stopWhen === undefined || !out.includes(options.stopWhen)) return
      stopped = child.kill("SIGINT") // once: the second time is for those who cannot wait
    })
    child.stderr.on("data", (chunk) => void (errors += chunk))
    child.on("close", (code) => resume(Effect.succeed({ code, out, errors })))
    if (options.stopWhen === undefined) child.stdin.end(options.input ?? "")
    else child.stdin.write(options.input ?? "")
    return Effect.sync(() => process.kill(-child.pid!, "SIGKILL"))
  })

export const lines = (...all: ReadonlyArray<string>) => all.map((line) => `${line}\n`).join("")

export const talk = lines(
  "My name is Ada.",
  "What time is it?",
  "Calculate 25 times 48",
  "What is my name?",
  "stop conversation"
)

export const sensible = (out: string) => {
  assert.match(out, /not an AI/)
  assert.match(out, /> What time is it\?\n {2}→ current_time .*\n {2}✓ current_time .*\nagent: The time is/)
  assert.match(out, /→ calculator \{"expression":"25 \* 48"\}\n {2}✓ calculator 1200\nagent: .*1200/)
  assert.match(out, /> What is my name\?\nagent: .*Ada/)
  assert.match(out, /✓ stop_conversation .*\n {2}■ the conversation has ended: you asked to stop\n$/)
}

export const example = (name: string, test: () => Effect.Effect<void>) => it.live(name, test, 120_000)
