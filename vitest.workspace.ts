/**
 * The tests. With `LAWS`, which CI sets, there are those as well that take minutes: leaks, most of the examples, and a sound
 * card of software; and laws are tried that often (`scripts/cases.ts`).
 */
import { defineConfig } from "vitest/config"
import SummaryReporter from "./scripts/summary-reporter.ts"

interface Options {
  readonly root?: string
  readonly include: ReadonlyArray<string>
  readonly exclude?: ReadonlyArray<string>
  /** Every file in a process of its own. */
  readonly isolate?: boolean
  readonly workers?: number
  /** Projects with a higher number run after the others. */
  readonly group?: number
}

const project = (name: string, { group = 0, root = ".", workers = 2, ...options }: Options) => ({
  extends: true as const,
  test: {
    name,
    root,
    include: [...options.include],
    exclude: [...(options.exclude ?? [])],
    isolate: options.isolate ?? false,
    maxWorkers: workers,
    sequence: { groupOrder: group }
  }
})

// memory is that of a whole process; and of a whole process a module is replaced
const leaks = "packages/core/test/Leaks.test.ts"
const changed = "packages/google/test/SdkChanged.test.ts"
const slow = ["**/test/all/**", "**/test/card/**", "**/Leaks.test.ts", "**/SdkChanged.test.ts"]

const all = (name: string, root = `packages/${name}`) =>
  project(name, { root, include: ["test/**/*.test.ts"], exclude: slow })

const quick = [
  ...["core", "openai", "google", "bedrock", "emulator", "audio", "store"].map((name) => all(name)),
  all("examples", "examples"),
  project("alone", { include: [changed], isolate: true })
]

const everything = [
  ...quick,
  project("leaks", { include: [leaks], isolate: true }),
  project("killed processes", { root: "packages/store", include: ["test/all/**/*.test.ts"] }),
  project("all examples", { root: "examples", include: ["test/all/**/*.test.ts"], group: 1 }),
  // sound is lost where others take the processor
  project("sound card", { include: ["{packages/audio,examples}/test/card/**/*.test.ts"], group: 2, workers: 1 })
]

export default defineConfig({
  test: {
    reporters: ["default", new SummaryReporter()],
    // of a machine that does something else as well
    testTimeout: 20_000,
    projects: process.env.LAWS === undefined ? quick : everything
  }
})
