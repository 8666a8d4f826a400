/** The documentation is true: its programs run, its transcripts are what they print, its links and commands exist. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Snippet, snippets, write } from "../../scripts/snippets.ts"
import { example, lines, run } from "./support/run.ts"

const root = new URL("../../", import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), "utf8")
const documents = [...new Set(snippets.map(({ document }) => document)), "docs/migrating.md", "docs/architecture.md"]

const conversation = ({ transcript = "" }: Snippet) => ({
  typed: Array.from(transcript.matchAll(/^> (.*)$/gm), ([, line]) => line!),
  shown: transcript.split("\n").filter((line) => line !== "")
})

describe("documentation", () => {
  it("has programs, excerpts and files", () => {
    for (const kind of ["program", "excerpt", "file"])
      assert.isTrue(
        snippets.some((one) => one.kind === kind),
        kind
      )
  })

  for (const document of documents) {
    it(`${document} links to files that exist`, () => {
      const links = Array.from(read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, link]) => link!)
      for (const link of links) {
        assert.isTrue(link.startsWith("http") || existsSync(new URL(link, new URL(document, root))), link)
      }
    })

    it(`${document} names commands that exist`, () => {
      const scripts = [...Object.keys(JSON.parse(read("package.json")).scripts), "tsx", "exec", "install"]
      const named = Array.from(read(document).matchAll(/pnpm@12 (\w+)/g), ([, name]) => name!)
      assert.includeMembers(scripts, named)
    })
  }

  for (const { code, document, kind, line, path } of snippets) {
    if (kind !== "file") continue
    it(`${document}:${line} is ${path}`, () => {
      assert.strictEqual(code.slice(code.indexOf("\n") + 1), read(path))
    })
  }
})

const EXPORT =
  /^export (?!\*|\{|type \{)(?:declare )?(?:abstract )?(?:const|class|function|interface|type|enum) (\w+)/gm
const DOCBLOCK = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/

it("every public export says in its docblock since when it is there", () => {
  const modules = globSync(["packages/*/src/*.ts", "packages/*/src/adapter/*.ts"], { cwd: fileURLToPath(root) })
  const missing = modules.flatMap((file) => {
    const source = read(file)
    return Array.from(source.matchAll(EXPORT)).flatMap(({ 1: name, index }) =>
      /@since|@internal/.test(DOCBLOCK.exec(source.slice(0, index))?.[0] ?? "") ? [] : [`${file}: ${name}`]
    )
  })
  assert.deepStrictEqual(missing, [])
})

describe.concurrent("programs of the documentation", () => {
  beforeAll(write)

  for (const snippet of snippets) {
    if (snippet.kind !== "program" || snippet.needs !== undefined) continue
    example(`${snippet.document}:${snippet.line}`, () =>
      Effect.gen(function* () {
        const { shown, typed } = conversation(snippet)
        const { code, errors, out } = yield* run(fileURLToPath(new URL(snippet.path, root)), { input: lines(...typed) })
        assert.strictEqual(code, 0, errors)
        const printed = out.split("\n")
        assert.deepStrictEqual(
          shown.filter((line) => !printed.includes(line)),
          [],
          out
        )
      })
    )
  }
})
