/** Every example as a person would run it: `tsx examples/NN-name.ts`, with no key and no network. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const tsx = fileURLToPath(import.meta.resolve("tsx/cli"))
const folder = fileURLToPath(new URL("..", import.meta.url))
const card = fileURLToPath(new URL("../../scripts/virtual-sound-card.sh", import.meta.url))
const hasCard = ["pulseaudio", "pactl", "pacat"].every((program) => spawnSync(program, ["--version"]).status === 0)
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
const run = (name: string, options: Options = {}) =>
  Effect.callback<Ran>((resume) => {
    const command = [process.execPath, tsx, name, ...(options.args ?? [])]
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

const lines = (...all: ReadonlyArray<string>) => all.map((line) => `${line}\n`).join("")

const talk = lines(
  "My name is Ada.",
  "What time is it?",
  "Calculate 25 times 48",
  "What is my name?",
  "stop conversation"
)

const sensible = (out: string) => {
  assert.match(out, /not an AI/)
  assert.match(out, /> What time is it\?\n {2}→ current_time .*\n {2}✓ current_time .*\nagent: The time is/)
  assert.match(out, /→ calculator \{"expression":"25 \* 48"\}\n {2}✓ calculator 1200\nagent: .*1200/)
  assert.match(out, /> What is my name\?\nagent: .*Ada/)
  assert.match(out, /✓ stop_conversation .*\n {2}■ the conversation has ended: you asked to stop\n$/)
}

const example = (name: string, test: () => Effect.Effect<void>) => it.live(name, test, 60_000)

describe.concurrent("examples", () => {
  example("01-quickstart talks, uses tools, remembers and stops", () =>
    Effect.gen(function* () {
      const { code, errors, out } = yield* run("01-quickstart.ts", {
        input: talk
      })
      assert.strictEqual(code, 0)
      assert.include(errors, "OPENAI_API_KEY") // it says how to talk to the real one
      sensible(out)
      assert.notInclude(out, "\x1b")
      // and the README shows just that
      const shown = /```\n(agent: Hello[\s\S]*?)```/.exec(
        readFileSync(new URL("../../README.md", import.meta.url), "utf8")
      )
      const printed = out.split("\n")
      assert.deepStrictEqual(
        shown?.[1]?.split("\n").filter((line) => !printed.includes(line)),
        []
      )
    })
  )

  example("01-quickstart ends on Ctrl+C, in order", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("01-quickstart.ts", { input: "tell me a long story\n", stopWhen: "Day two" })
      assert.strictEqual(code, 130)
      assert.match(out, /interrupted.*\n {2}■ the conversation has ended: stopped\n$/)
    })
  )

  example("02-tools", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("02-tools.ts", {
        input: lines("What's the weather in San Francisco?", "What's the weather in Atlantis?")
      })
      assert.strictEqual(code, 0)
      assert.match(out, /✓ get_weather \{"degrees":\d+,"sky":"sunny"\}\nconcierge: .*sunny/)
      assert.match(out, /✗ get_weather There is no Atlantis\.\nconcierge: .*There is no Atlantis/)
    })
  )

  example("03-by-hand", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("03-by-hand.ts")
      assert.strictEqual(code, 0)
      assert.match(out, /> What is my name\?\n.*Alice.*\nended: client_disconnect\n4 messages/)
    })
  )

  example("04-interruption", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("04-interruption.ts")
      assert.strictEqual(code, 0)
      const heard = /\(silent after (\d+)s/.exec(out)?.[1]
      assert.isAtMost(Number(heard), 5)
      const text = /what was heard of the story: (.*)/.exec(out)?.[1] ?? ""
      assert.match(text, /Day one/)
      assert.notMatch(text, /Day four/)
    })
  )

  example("05-custom-channel", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("05-custom-channel.ts")
      assert.strictEqual(code, 0)
      assert.match(out, /complete; listen to it: ffplay/)
    })
  )

  example("06-service", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("06-service.ts", { input: "A table for four, please.\n" })
      assert.strictEqual(code, 0)
      assert.match(out, /booked: a table for 4\n$/)
    })
  )

  example("07-reconnect", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("07-reconnect.ts")
      assert.strictEqual(code, 0)
      assert.match(out, /connection was lost.*\n.*connected again\n/)
      assert.match(out, /renewing the connection.*\n.*connected again\n/)
      assert.match(out, /> What is my name\?\nagent: .*Ada/)
    })
  )

  example("08-tools-in-depth", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("08-tools-in-depth.ts", {
        input: lines("Search flights to Lisbon", "Book a flight to Lisbon", "Book a flight to Atlantis")
      })
      assert.strictEqual(code, 0)
      assert.match(out, /✓ book_flight The flight to Lisbon is booked for Ada\./)
      assert.match(out, /✗ book_flight .*there is no such place/)
      assert.include(out, "I have asked three airlines so far.")
      assert.include(out, "The flight to Lisbon leaves at noon.")
    })
  )

  example("09-handoff", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("09-handoff.ts", {
        input: lines("Transfer me to billing", "Refund order 7")
      })
      assert.strictEqual(code, 0)
      assert.match(out, /✓ transfer_to_billing You are through to billing\./)
      assert.match(out, /billing takes over[\s\S]*✓ refund Order 7 was paid back\./)
    })
  )

  example("10-push-to-talk", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("10-push-to-talk.ts")
      assert.strictEqual(code, 0)
      assert.match(out, /you: my name is Ada\n.*Ada/)
      assert.notMatch(out, /you: stop/)
      assert.match(
        out,
        /Day one.*\n● what is my name[\s\S]*interrupted[\s\S]*you: what is my name\nagent: Your name is Ada/
      )
    })
  )

  for (const [name, ...args] of [["11-voice"], ["01-quickstart", "--voice", "--text"]] as const) {
    it.live.skipIf(!hasCard)(
      `${[name, ...args].join(" ")} talks over a sound card`,
      () =>
        Effect.gen(function* () {
          const { code, errors, out } = yield* run(`${name}.ts`, { input: talk, args, card: true })
          assert.strictEqual(code, 0, errors)
          assert.notInclude(errors, "please type")
          sensible(out)
        }),
      120_000
    )
  }

  example("01-quickstart --voice says what is missing, and lets one type", () =>
    Effect.gen(function* () {
      const nothing = { PATH: folder, PULSE_SERVER: "none", ALSA_CONFIG_PATH: "/dev/null" }
      const { code, errors, out } = yield* run("01-quickstart.ts", { input: talk, args: ["--voice"], env: nothing })
      assert.strictEqual(code, 0, errors)
      assert.include(errors, "soundcheck")
      sensible(out)
    })
  )

  example("12-mcp", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("12-mcp.ts", { input: lines("What's the weather in London?") })
      assert.strictEqual(code, 0)
      assert.match(out, /✓ get_weather It is sunny in London\.\nagent: .*sunny/)
    })
  )

  for (const [provider, name] of [
    ["google", "Gemini Live"],
    ["bedrock", "Amazon Nova Sonic"]
  ] as const) {
    example(`01-quickstart holds the same conversation on the wire of ${name}`, () =>
      Effect.gen(function* () {
        const { code, errors, out } = yield* run("01-quickstart.ts", { input: talk, env: { VOICE_PROVIDER: provider } })
        assert.strictEqual(code, 0)
        assert.include(errors, name)
        sensible(out)
      })
    )
  }

  example("01-quickstart refuses a provider that there is not", () =>
    Effect.gen(function* () {
      const { code, errors, out } = yield* run("01-quickstart.ts", { env: { VOICE_PROVIDER: "nobody" } })
      assert.strictEqual(code, 1)
      assert.include(errors + out, '"openai" | "google" | "bedrock" | "emulator"')
    })
  )
})
