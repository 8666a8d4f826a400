/**
 * The TypeScript of the documentation, as files in `examples/snippets`, so that it is type-checked with everything else. Each
 * keeps the line numbers of its document.
 *
 * - A block that imports is a program. It is run by `examples/test/documentation.test.ts`, unless its first line is a comment
 *   that begins with `needs` and says what it needs.
 * - A block that does not is an excerpt. It stands inside `Effect.gen`, with the names below, and is only type-checked.
 * - A block that begins with the path of a file is that file, which has tests of its own.
 *
 *     node scripts/snippets.ts
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const target = `${root}examples/snippets`

export interface Snippet {
  /** The document, relative to the root. */
  readonly document: string
  readonly line: number
  readonly kind: "program" | "excerpt" | "file"
  readonly code: string
  /** The first line's comment, of a program that cannot be run everywhere. */
  readonly needs: string | undefined
  /** The block behind it, where that is `text`: what the program prints, with what is typed behind `> `. */
  readonly transcript: string | undefined
  /** Where it was written, or the file that it shows. */
  readonly path: string
}

/** Where the names of excerpts come from. */
const modules: Record<string, string> = {
  "@effect-bidi/core":
    "AgentState, Audio, BidiAgent, BidiError, BidiEvent, BidiInput, BidiJson, BidiModel, BidiOutput, BidiTool, BidiTools, ContextPolicy, CurrentConversation, SessionLog, SessionStore, Transcript",
  "@effect-bidi/audio": "AudioIO, AudioDevice",
  "@effect-bidi/openai": "OpenAiRealtime",
  "@effect-bidi/google": "GeminiLive",
  "@effect-bidi/bedrock": "NovaSonic",
  "@effect-bidi/emulator": "Fault, GeminiEmulator, NovaEmulator, OpenAiEmulator",
  "@effect/platform-node": "NodeRuntime",
  "@effect/vitest": "assert",
  effect:
    "Cause, Config, Console, Context, Duration, Effect, Layer, Logger, Option, Redacted, References, Schedule, Schema, Stream",
  "effect/ai": "McpClient, McpProtocol, Tool, Toolkit"
}
const subpaths = ["BidiConformance", "BidiConsole", "BidiTest"]

/** What an excerpt may take as given. */
const given: Record<string, string> = {
  agent: "declare const agent: BidiAgent.Agent",
  assistant: "declare const assistant: BidiAgent.Agent",
  audio: 'declare const audio: AudioIO.AudioIO["Service"]',
  billing: "declare const billing: BidiAgent.Agent",
  call: "declare const call: BidiAgent.Call<BidiError.BidiError>",
  speaker: "declare const speaker: BidiTest.VirtualSpeaker",
  apiKey: "declare const apiKey: Redacted.Redacted<string>",
  microphone: "declare const microphone: BidiInput.BidiInput",
  show: "declare const show: (role: string, text: string) => Effect.Effect<void>",
  url: "declare const url: string",
  device:
    "declare const device: { readonly write: (bytes: Uint8Array) => void; readonly clear: () => void; readonly playedBytes: () => number; readonly listen: (on: (bytes: Uint8Array) => void) => { readonly stop: () => void } }"
}

const mentions = (code: string, name: string) =>
  new RegExp(`(?<!\\w|(?<!\\.\\.)\\.)${name}\\b(?!:)`).test(code.replaceAll(/"[^"\n]*"|\/\/.*/g, ""))
const declares = (code: string, name: string) => new RegExp(`\\b(?:const|class) (?:\\{[^}]*)?\\b${name}\\b`).test(code)

const wrapped = (code: string): string => {
  const used = Object.entries(given).filter(([name]) => mentions(code, name) && !declares(code, name))
  const all = `${code}\n${used.map(([, declaration]) => declaration).join("\n")}`
  const imports = [
    ...Object.entries(modules).flatMap(([from, names]) => {
      const wanted = names.split(", ").filter((name) => mentions(all, name) && !declares(code, name))
      return wanted.length === 0 ? [] : [`import { ${wanted.join(", ")} } from "${from}"`]
    }),
    ...subpaths
      .filter((name) => mentions(all, name))
      .map((name) => `import * as ${name} from "@effect-bidi/core/${name}"`),
    ...(mentions(all, "Effect") ? [] : ['import { Effect } from "effect"'])
  ]
  const constants = Array.from(
    code.matchAll(/^(?:const|class) (?:(\w+)|\{([^}]*)\})/gm),
    ([, name, names]) => name ?? names!
  )
  const head = [...imports, ...used.map(([, declaration]) => declaration)].join("; ")
  // unused names are not a fault of an excerpt
  const tail = constants.length === 0 ? "" : `\nvoid [${constants.join(", ")}]`
  return `${head}; export const excerpt = Effect.gen(function* () {\n${code}${tail}\n})\n`
}

const BLOCK = /^```ts\n([\s\S]*?)^```$(?:\n*^```text\n([\s\S]*?)^```$)?/gm

const ofDocument = (document: string): ReadonlyArray<Snippet> => {
  const text = readFileSync(root + document, "utf8")
  return Array.from(text.matchAll(BLOCK), ({ 1: code = "", 2: transcript, index }) => {
    const line = text.slice(0, index).split("\n").length + 1
    const shown = /^\/\/ ((?:\w+\/)+[\w.-]+\.ts)\n/.exec(code)?.[1]
    const kind = shown !== undefined ? "file" : /^import /m.test(code) ? "program" : "excerpt"
    const name = `${document.replaceAll("/", ".")}.${line}.ts`
    return {
      document,
      line,
      kind,
      code,
      transcript,
      needs: /^\/\/ (needs .*)$/m.exec(code.split("\n")[0]!)?.[1],
      path: shown ?? `examples/snippets/${name}`
    }
  })
}

export const snippets: ReadonlyArray<Snippet> = globSync(["README.md", "docs/**/*.md", "packages/*/README.md"], {
  cwd: root
})
  .sort()
  .flatMap((document) => ofDocument(document))

/** Writes programs and excerpts where `path` says. */
export const write = (): void => {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  for (const { code, kind, line, path } of snippets) {
    if (kind === "program") writeFileSync(root + path, "\n".repeat(line - 1) + code)
    if (kind === "excerpt") writeFileSync(root + path, "\n".repeat(line - 2) + wrapped(code))
  }
}

if (import.meta.main) write()
