/** The examples that only CI runs: each takes seconds of real time. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { example, folder, lines, run, sensible, talk } from "../support/run.ts"

describe.concurrent("examples", () => {
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

  example("07-reconnect", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("07-reconnect.ts")
      assert.strictEqual(code, 0)
      assert.match(out, /connection was lost.*\n.*connected again\n/)
      assert.match(out, /renewing the connection.*\n.*connected again\n/)
      // a story that ended with its connection has one more reply, and then the question loses the next connection
      assert.match(out, /> What is my name\?\n(?: {2}↻ .*\n)*agent: .*Ada/)
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

  example("01-quickstart --voice says what is missing, and lets one type", () =>
    Effect.gen(function* () {
      const nothing = { PATH: folder, PULSE_SERVER: "none", ALSA_CONFIG_PATH: "/dev/null" }
      const { code, errors, out } = yield* run("01-quickstart.ts", { input: talk, args: ["--voice"], env: nothing })
      assert.strictEqual(code, 0, errors)
      assert.include(errors, "soundcheck")
      sensible(out)
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

  example("14-hooks", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("14-hooks.ts", {
        input: lines("My number is 4111222233334444.", "What's the weather in London?")
      })
      assert.strictEqual(code, 0)
      assert.match(out, /kept: My number is \*{4}\.\n/)
      assert.match(out, /✗ get_weather This was refused: London is out of bounds\./)
    })
  )

  example("15-observability", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("15-observability.ts", { input: lines("What is 12 times 7?") })
      assert.strictEqual(code, 0)
      assert.match(out, /^invoke_agent Ada .*█.* ms\n {2}realtime_inference .*\n {2}execute_tool calculator .*\n/m)
      assert.match(out, /tool calculator +1 calls, 0 failed/)
      assert.match(out, /metrics: .*gen_ai\.execute_tool\.duration/)
    })
  )

  example("16-recording", () =>
    Effect.gen(function* () {
      const { code, out } = yield* run("16-recording.ts", { input: lines("My name is Ada.", "What is 12 times 7?") })
      assert.strictEqual(code, 0)
      assert.match(out, /replayed: 3 commands, 0 differences\n/)
    })
  )
})
