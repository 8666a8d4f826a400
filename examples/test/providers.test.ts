/** What docs/providers.md says of the providers is what the layers say of themselves. */
import { assert, it } from "@effect/vitest"
import { NovaSonic } from "@effect-bidi/bedrock"
import { Audio, type BidiModel } from "@effect-bidi/core"
import { GeminiLive } from "@effect-bidi/google"
import { OpenAiRealtime } from "@effect-bidi/openai"
import { Duration, Effect, Redacted } from "effect"
import { readFileSync } from "node:fs"

const apiKey = Redacted.make("none")
const credentials = { accessKeyId: apiKey, secretAccessKey: apiKey }
const models = Effect.all({
  "OpenAI Realtime": OpenAiRealtime.make({ apiKey }),
  "Gemini Live": GeminiLive.make({ apiKey }),
  "Nova Sonic": NovaSonic.make({ region: "us-east-1", credentials })
})
const manual = Effect.all([
  OpenAiRealtime.make({ apiKey, turnDetection: "manual" }),
  GeminiLive.make({ apiKey, turnDetection: "manual" })
])

type Model = BidiModel.BidiModel["Service"]

const row = (name: string, cell: (model: Model) => string) => ({ name, cell })
const can = (name: keyof BidiModel.Capabilities) =>
  row(`\`${name}\``, ({ capabilities }) => (capabilities[name] ? "yes" : "no"))
const time = (duration: Duration.Duration | undefined) => (duration === undefined ? "" : Duration.format(duration))

const rows = [
  row("`provider`", ({ provider }) => `\`${provider}\``),
  row("default model", ({ model }) => `\`${model}\``),
  row("`input`", ({ input }) => Audio.describe(input)),
  row("`output`", ({ output }) => Audio.describe(output)),
  can("truncation"),
  can("images"),
  row("`manualTurns`", ({ provider }) => (provider === "bedrock" ? "no" : 'with `turnDetection: "manual"`')),
  can("resumption"),
  can("overlap"),
  can("midSessionUpdate"),
  row("`limits.maxDuration`", ({ limits }) => time(limits.maxDuration)),
  row("`limits.renewAfter`", ({ limits }) => time(limits.renewAfter)),
  row("`limits.renewBefore`", ({ limits }) => time(limits.renewBefore)),
  row("`limits.history`", ({ limits }) => (limits.history === undefined ? "" : `${limits.history} bytes`))
]

it.effect("docs/providers.md holds the table of the capabilities", () =>
  Effect.gen(function* () {
    const all = Object.entries(yield* models)
    const table = [
      ["", ...all.map(([name]) => name)],
      ...rows.map(({ cell, name }) => [name, ...all.map(([, model]) => cell(model))])
    ]
    const docs = readFileSync(new URL("../../docs/providers.md", import.meta.url), "utf8")
    const written = docs
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((text) => text.trim())
      )
    const start = written.findIndex((line) => line[1] === all[0]![0])
    const found = written.slice(start).filter((line) => !line[0]!.startsWith("-"))
    for (const { capabilities } of yield* manual) assert.isTrue(capabilities.manualTurns)
    assert.deepStrictEqual(found.slice(0, table.length), table)
  })
)
