/**
 * The server and the service, over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { audio, callsIn, answer, clock, functions, heardIn, msIn, saidIn, text, updatesIn } from "../support/gemini.ts"
import { connect, pathOf, refused } from "../support/geminiClient.ts"
import { phrase, quiet } from "../support/sound.ts"

const quick: GeminiEmulator.Options = { speed: Number.POSITIVE_INFINITY, voice: "tones" }

describe("a handshake", () => {
  it.effect.each<[path: string, headers: Record<string, string>]>([
    [`${pathOf("v1beta")}?key=any`, {}],
    [`${pathOf("v1", "//")}?key=any`, {}],
    [`/any/prefix${pathOf("v1alpha")}?key=any&x=1`, {}],
    [`${pathOf("v1alpha")}Constrained?access_token=any`, {}],
    [pathOf("v1beta"), { "x-goog-api-key": "any" }]
  ])("is let in at %s with %j", ([path, headers]) =>
    Effect.gen(function* () {
      const client = yield* connect(yield* GeminiEmulator.make(quick), { path, headers })
      assert.isString((yield* client.next("setupComplete")).setupComplete.sessionId)
    })
  )

  it.effect.each<[path: string, status: number, error: string]>([
    ["/elsewhere?key=any", 404, "NOT_FOUND"],
    [pathOf("v1beta"), 403, "PERMISSION_DENIED"],
    [`${pathOf("v1beta")}?key=`, 403, "PERMISSION_DENIED"]
  ])("is refused at %s with %d", ([path, status, error]) =>
    Effect.gen(function* () {
      const answer = yield* refused(yield* GeminiEmulator.make(quick), { path })
      assert.strictEqual(answer.status, status)
      assert.deepInclude(answer.body.error as object, { code: status, status: error })
    })
  )

  it.effect("with another key, or for another model, is let in and sent away afterwards", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make({ ...quick, apiKeys: ["right"], models: ["mine"] })
      const wrong = yield* connect(emulator)
      assert.deepInclude(yield* wrong.closed, { code: 1008 })
      const path = `${pathOf("v1beta")}?key=right`
      assert.strictEqual((yield* (yield* connect(emulator, { path })).closed).code, 1008)
      const right = yield* connect(emulator, { path, begin: { model: "mine" } })
      yield* right.next("setupComplete")
      const [opened] = yield* emulator.log
      assert.strictEqual(opened?.kind === "opened" && opened.url.includes("any"), false, "a key in the log")
    })
  )
})

describe("a conversation", () => {
  it.effect("in sound, with a function", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const client = yield* connect(emulator, { begin: functions(clock) })
      yield* client.next("setupComplete")
      const said = Pcm.resample(Pcm.concat([quiet(200), phrase("what time is it"), quiet(600)]), 16_000)
      yield* client.send(...audio(said))
      const { toolCall } = yield* client.next("toolCall")
      assert.strictEqual(heardIn(client.events), "what time is it")
      const [call] = callsIn([{ toolCall }])
      yield* client.next("serverContent.turnComplete")
      yield* client.send(answer(call!, { output: "10:42" }))
      yield* client.next("serverContent.turnComplete")
      assert.strictEqual(saidIn(client.events), "It is 10:42.")
      assert.isAbove(msIn(client.events), 500)
      const received = yield* emulator.received(1)
      assert.strictEqual(received.find(({ type }) => type === "realtimeInput.audio")!.audioBytes, 3200)
      const sent = yield* emulator.awaitSent("usageMetadata", 2)
      assert.include(sent.types, "serverContent.turnComplete")
    })
  )

  it.effect("goes on over another connection", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const first = yield* connect(emulator, { begin: { sessionResumption: {} } })
      yield* first.ask("my name is Ada")
      yield* first.next("sessionResumptionUpdate")
      yield* first.next("sessionResumptionUpdate")
      const { sessionResumptionUpdate } = yield* first.next("sessionResumptionUpdate")
      const begin = { sessionResumption: { handle: sessionResumptionUpdate.newHandle as string } }
      // not while the first one is there
      assert.strictEqual((yield* (yield* connect(emulator, { begin })).closed).code, 1011)
      first.socket.close()
      yield* first.closed
      const second = yield* connect(emulator, { begin })
      assert.strictEqual(saidIn(yield* second.ask("what is my name")), "Your name is Ada.")
      // nor beside the one that has taken it over
      assert.strictEqual((yield* (yield* connect(emulator, { begin })).closed).code, 1011)
      assert.deepStrictEqual(updatesIn(second.events)[0]?.resumable, true)
    })
  )

  it.effect("of a client that vanished goes on as well", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make(quick)
      const first = yield* connect(emulator, { begin: { sessionResumption: {} } })
      const { sessionResumptionUpdate } = yield* first.next("sessionResumptionUpdate")
      first.socket.terminate()
      yield* emulator.awaitConnections(0)
      const begin = { sessionResumption: { handle: sessionResumptionUpdate.newHandle as string } }
      yield* (yield* connect(emulator, { begin })).next("setupComplete")
    })
  )
})

describe("the service", () => {
  it.effect("keeps its time: replies, goAway and the end", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make({
        speed: 2,
        latency: "500 millis",
        voice: "tones",
        sessionLimit: "5 seconds"
      })
      const client = yield* connect(emulator)
      yield* client.send(text("tell me a long story"))
      yield* emulator.awaitReceived("realtimeInput.text")
      assert.strictEqual(msIn(client.events), 0)
      yield* TestClock.adjust("1500 millis")
      yield* emulator.awaitSent("serverContent.modelTurn", 21)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual((yield* client.next("goAway")).goAway, { timeLeft: "0.5s" })
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* client.closed, { code: 1011 })
      yield* emulator.awaitSockets(0)
    })
  )

  it.effect("ends connections without a word when that was asked for", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make({
        ...quick,
        sessionLimit: "1 second",
        goAwayBefore: "1 second",
        ending: "drop"
      })
      const client = yield* connect(emulator)
      yield* client.next("setupComplete")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* client.closed).code, 1006)
      assert.deepStrictEqual((yield* client.next("goAway")).goAway, { timeLeft: "1s" })
    })
  )

  it.effect("forgets handles, and conversations that are too long", () =>
    Effect.gen(function* () {
      const emulator = yield* GeminiEmulator.make({
        ...quick,
        handleLifetime: "1 minute",
        uncompressedLimit: "90 seconds"
      })
      const client = yield* connect(emulator, { begin: { sessionResumption: {} } })
      const { sessionResumptionUpdate } = yield* client.next("sessionResumptionUpdate")
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual((yield* client.closed).code, 1011)
      yield* emulator.awaitConnections(0)
      const begin = { sessionResumption: { handle: sessionResumptionUpdate.newHandle as string } }
      assert.strictEqual((yield* (yield* connect(emulator, { begin })).closed).code, 1008)
    })
  )

  it.effect("leaves no socket when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const emulator = yield* GeminiEmulator.make({ speed: 8, voice: "tones" }).pipe(Scope.provide(scope))
      const client = yield* connect(emulator)
      yield* client.next("setupComplete")
      yield* client.send(text("tell me a long story"))
      yield* emulator.awaitReceived("realtimeInput.text")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* client.closed).code, 1006)
      assert.strictEqual(yield* emulator.connections, 0)
      yield* emulator.awaitSockets(0)
    })
  )

  it.effect("is a layer, too", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(GeminiEmulator.layer(quick))
      const emulator = Context.get(context, GeminiEmulator.GeminiEmulator)
      assert.strictEqual(emulator.url, `http://127.0.0.1:${emulator.port}`)
      assert.strictEqual(saidIn(yield* (yield* connect(emulator)).ask("my name is Ada")), "Nice to meet you, Ada.")
    })
  )
})
