import { defineConfig } from "vitest/config"
import SummaryReporter from "./scripts/summary-reporter.ts"

const project = (name: string, root: string) => ({
  extends: true as const,
  test: { name, root, include: ["test/**/*.test.ts"] }
})

export default defineConfig({
  test: {
    reporters: ["default", new SummaryReporter()],
    projects: [
      project("core", "packages/core"),
      project("openai", "packages/openai"),
      project("google", "packages/google"),
      project("bedrock", "packages/bedrock"),
      project("emulator", "packages/emulator"),
      project("audio", "packages/audio"),
      project("examples", "examples")
    ]
  }
})
