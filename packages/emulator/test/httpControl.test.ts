/**
 * The control over plain HTTP.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fault from "@effect-bidi/emulator/Fault"
import type * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import { providers } from "../src/internal/program/providers.ts"
import { connect } from "./support/client.ts"
import { of, saidIn, userText } from "./support/fold.ts"

const quick: OpenAiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }
const create = { type: "response.create" }

describe("over HTTP", () => {
  const call = (url: string, body?: unknown) =>
    Effect.promise(async () => {
      const response = await fetch(url, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    })

  it.effect("faults, words and the log can be had from outside", () =>
    Effect.gen(function* () {
      const emulator = yield* providers.openai.make(quick)
      const at = (path: string) => `http://127.0.0.1:${emulator.port}/emulator/${path}`
      assert.strictEqual((yield* call(at("faults/next"), [Fault.close(1013)])).status, 200)
      assert.strictEqual((yield* (yield* connect(emulator)).closed).code, 1013)

      const client = yield* connect(emulator)
      yield* client.next("session.created")
      assert.deepInclude((yield* call(at("faults/now"), [Fault.failResponse()])).body, { connections: 1 })
      yield* client.ask("hello")
      assert.strictEqual(of(client.events, "response.done")[0]?.response.status, "failed")

      yield* call(at("next-reply"), { text: "From outside." })
      assert.strictEqual(saidIn(yield* client.ask("hello")), "From outside.")

      yield* call(at("hold"), {})
      yield* client.send(userText("my name is Ada"), create)
      yield* client.next("response.created")
      yield* call(at("release"), {})
      yield* client.next("response.done")

      for (const [path, body] of [
        ["faults/every", [Fault.refuse(503)]],
        ["faults/reset", {}],
        ["next-transcript", { text: "hello" }],
        ["unstall", {}]
      ] as const) {
        assert.strictEqual((yield* call(at(path), body)).status, 200)
      }
      yield* (yield* connect(emulator)).next("session.created")

      const log = (yield* call(at("log"))).body as unknown as ReadonlyArray<{ kind: string }>
      assert.strictEqual(log[0]?.kind, "opened")
    })
  )

  it.effect("nonsense is refused", () =>
    Effect.gen(function* () {
      const emulator = yield* providers.openai.make(quick)
      const at = (path: string) => `http://127.0.0.1:${emulator.port}/${path}`
      assert.strictEqual((yield* call(at("emulator/faults/next"), [{ _tag: "Nope" }])).status, 400)
      assert.strictEqual((yield* call(at("emulator/faults/next"), "x")).status, 400)
      assert.strictEqual((yield* call(at("emulator/nope"), {})).status, 404)
      assert.strictEqual((yield* call(at("nope"))).status, 404)
      assert.strictEqual((yield* call(at(""))).status, 200)
      yield* (yield* connect(emulator)).next("session.created")
    })
  )
})
