/** Programs that sound passes through. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { scoped } from "../src/internal/process/child.ts"

const groupOf = (pid: number) => execFileSync("ps", ["-o", "pgid=", "-p", `${pid}`], { encoding: "utf8" }).trim()

describe.skipIf(process.platform === "win32")("a program that sound passes through", () => {
  it.live("does not hear a signal to the group of this process, and so is not lost while everything ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { process: child } = yield* scoped("sleep", ["60"], { stdio: ["pipe", "ignore", "pipe"] })
        assert.notStrictEqual(groupOf(child.pid!), groupOf(process.pid))
      })
    )
  )
})
