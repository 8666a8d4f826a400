/** Child processes that carry audio. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { scoped } from "../src/internal/backends/child.ts"

const groupOf = (pid: number) => execFileSync("ps", ["-o", "pgid=", "-p", `${pid}`], { encoding: "utf8" }).trim()

describe.skipIf(process.platform === "win32")("a child process", () => {
  it.live("does not get the signals of this process group, so its device is not reopened while everything ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { process: child } = yield* scoped("sleep", ["60"], { stdio: ["pipe", "ignore", "pipe"] })
        assert.notStrictEqual(groupOf(child.pid!), groupOf(process.pid))
      })
    )
  )
})
