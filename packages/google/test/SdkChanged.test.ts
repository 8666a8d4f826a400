/**
 * An SDK that is not what we take it for.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { dial } from "./support/line.ts"

vi.mock("@google/genai", async (original) => ({
  ...(await original<object>()),
  // keeps its sockets to itself
  GoogleGenAI: class {
    readonly live = { connect: () => new Promise(() => {}) }
  }
}))

it.effect("does not connect where the SDK cannot be given a socket", () =>
  Effect.gen(function* () {
    const { reason } = yield* Effect.flip(dial("http://127.0.0.1:1"))
    assert(reason._tag === "Unsupported")
    assert.strictEqual(reason.feature, "@google/genai")
    assert.strictEqual(reason.message, "the SDK could not set up a connection to 127.0.0.1:1")
  })
)
