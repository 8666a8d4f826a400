/** What the README shows is what there is. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"

const root = new URL("../../", import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), "utf8")
const readme = read("README.md")
const scripts = Object.keys(JSON.parse(read("package.json")).scripts)

describe("the README", () => {
  it("shows the first example as it is", () => {
    const block = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
    assert.strictEqual(block, read("examples/01-quickstart.ts"))
  })

  it("links to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link!)
    assert.isNotEmpty(links)
    for (const link of links) assert.isTrue(link.startsWith("http") || existsSync(new URL(link, root)), link)
  })

  it("names commands that exist", () => {
    const commands = [...readme.matchAll(/pnpm@12 (\w+)/g)].map(([, name]) => name!)
    assert.includeMembers(
      scripts,
      commands.filter((name) => name !== "tsx")
    )
  })
})
