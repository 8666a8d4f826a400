/** What the root index imports runs in a browser: effect alone, and nothing of Node. */
import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

const IMPORT = /^(?:import|export)(?! type)[^;]*? from "([^"]+)"|import\("([^"]+)"\)/gm

const reachable = (from: URL, seen: Map<string, ReadonlyArray<string>>): ReadonlyMap<string, ReadonlyArray<string>> => {
  if (seen.has(from.href)) return seen
  const source = readFileSync(from, "utf8")
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^import type .*$/gm, "")
  const imports = Array.from(code.matchAll(IMPORT), ([, specifier, dynamic]) => specifier ?? dynamic!)
  const globals = Array.from(code.matchAll(/\b(?:process|Buffer|setImmediate|__dirname)\b(?=[.(])/g), ([name]) => name)
  seen.set(from.href, [...imports.filter((specifier) => !specifier.startsWith(".")), ...globals])
  for (const specifier of imports) if (specifier.startsWith(".")) reachable(new URL(specifier, from), seen)
  return seen
}

it("the root index can be imported in a browser", () => {
  const files = reachable(new URL("../src/index.ts", import.meta.url), new Map())
  assert.isAbove(files.size, 50)
  for (const [file, uses] of files) {
    for (const use of uses) assert.match(use, /^effect(?:\/|$)/, file)
  }
})
