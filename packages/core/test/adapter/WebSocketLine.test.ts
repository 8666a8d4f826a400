import * as AdapterErrors from "@effect-bidi/core/adapter/AdapterErrors"
import * as WebSocketLine from "@effect-bidi/core/adapter/WebSocketLine"
import type { BidiError } from "@effect-bidi/core/BidiError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { EventEmitter } from "node:events"
import type { IncomingMessage } from "node:http"

const errors = AdapterErrors.make("somebody")

/** A socket of which the test plays the network. */
class FakeSocket extends EventEmitter implements WebSocketLine.Socket {
  readonly OPEN = 1
  readyState = 0
  bufferedAmount = 0
  readonly sent: Array<string> = []
  readonly unsent: Array<(error?: Error) => void> = []
  ended: "closed" | "terminated" | undefined

  send(data: string | Uint8Array, more?: ((error?: Error) => void) | { readonly binary: boolean }): void {
    this.sent.push(typeof data === "string" ? data : Buffer.from(data).toString())
    if (typeof more === "function") this.unsent.push(more)
  }
  ping(): void {}
  close(): void {
    this.ended = "closed"
  }
  terminate(): void {
    this.ended ??= "terminated"
    for (const sent of this.unsent.splice(0)) sent(new Error("destroyed"))
  }
  open(): void {
    this.readyState = 1
    this.emit("open")
  }
}

const opening = Effect.fnUntraced(function* (
  dial: (line: WebSocketLine.WebSocketLine<string>, socket: FakeSocket) => void = (line, socket) => line.attach(socket)
) {
  const socket = new FakeSocket()
  const line = yield* WebSocketLine.open<string>(
    {
      address: "example:443",
      errors,
      refused: ({ body, retryAfter, status }) => errors.auth(`${status} ${retryAfter} ${body}`),
      closed: (code, reason) => errors.fault(reason, String(code)),
      audio: { before: '{"audio":"', after: '"}' }
    },
    (line) => dial(line, socket),
    () => errors.invalid("baseUrl", "could not be set up")
  )
  return { line, socket }
})

const open = Effect.tap(opening(), ({ socket }) => Effect.sync(() => socket.open()))

const end = (line: WebSocketLine.WebSocketLine<string>): Effect.Effect<BidiError> =>
  Effect.flip(line.inbox.forEach(() => undefined))

describe("a line", () => {
  it.effect("carries messages in order, and audio as one of them", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      yield* line.opened
      assert.isTrue(line.post({ n: 1 }))
      assert.isTrue(line.audio(new Uint8Array([0, 1, 2, 3]).subarray(1)))
      const sending = yield* Effect.forkChild(line.send([{ n: 2 }, { n: 3 }]), { startImmediately: true })
      assert.deepStrictEqual(socket.sent, ['{"n":1}', '{"audio":"AQID"}', '{"n":2}', '{"n":3}'])
      assert.strictEqual(line.audioBytes, 3)
      // it is sent when the last one has left
      assert.isUndefined(sending.pollUnsafe())
      socket.unsent.pop()!()
      yield* Fiber.join(sending)
      yield* line.send([])
      line.read("hello")
      assert.strictEqual(yield* line.inbox.take, "hello")
    })
  )

  it.effect("refuses audio while too much waits to be written", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      socket.bufferedAmount = WebSocketLine.WRITE_BUFFER_BYTES + 1
      assert.isFalse(line.audio(new Uint8Array(2)))
      assert.isTrue(line.post({}))
      socket.bufferedAmount = 0
      assert.isTrue(line.audio(new Uint8Array(2)))
      assert.strictEqual(line.audioBytes, 2)
    })
  )

  it.effect("ends rather than losing what nobody reads", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      for (let i = 0; i <= WebSocketLine.INBOX_CAPACITY; i++) line.read("x")
      assert.strictEqual(socket.ended, "terminated")
      let read = 0
      const error = yield* Effect.flip(line.inbox.forEach(() => void read++))
      assert.strictEqual(read, WebSocketLine.INBOX_CAPACITY)
      assert.deepInclude(error.reason, { _tag: "ConsumerTooSlow", capacity: WebSocketLine.INBOX_CAPACITY })
    })
  )

  it.effect("is alive when anything comes", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      assert.deepStrictEqual([line.isAlive(), line.isAlive()], [true, false])
      line.read("x")
      assert.deepStrictEqual([line.isAlive(), line.isAlive()], [true, false])
      socket.emit("pong")
      assert.deepStrictEqual([line.isAlive(), line.isAlive()], [true, false])
    })
  )
})

describe("the end of a line", () => {
  const failure = Object.assign(new Error("reset"), { code: "ECONNRESET" })

  it.effect("has one reason, the first, and comes after what came before it", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      line.read("last words")
      socket.emit("error", failure)
      socket.emit("close", 1006, Buffer.from(""))
      line.read("too late")
      const read: Array<string> = []
      const error = yield* Effect.flip(line.inbox.forEach((message) => void read.push(message)))
      assert.deepStrictEqual(read, ["last words"])
      assert.strictEqual(error.reason.message, "lost the connection to example:443 (ECONNRESET)")
      assert.strictEqual(error.reason.code, "ECONNRESET")
      yield* line.over
    })
  )

  it.effect("is told apart before the handshake", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* opening()
      socket.emit("error", failure)
      const error = yield* Effect.flip(line.opened)
      assert.strictEqual(error.reason.message, "could not connect to example:443 (ECONNRESET)")
    })
  )

  it.effect("is what the provider says of a close", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      socket.emit("close", 1011, Buffer.from("no"))
      assert.deepInclude((yield* end(line)).reason, { _tag: "ServerFault", message: "no", code: "1011" })
    })
  )

  const refusal = (headers: Record<string, string> = {}) =>
    Object.assign(new EventEmitter(), { statusCode: 403, headers, setTimeout: () => {} }) as unknown as IncomingMessage

  it.effect("is what the body of a refusal says", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* opening()
      const response = refusal({ "retry-after": "3" })
      socket.emit("unexpected-response", undefined, response)
      response.emit("data", Buffer.from("who are "))
      response.emit("data", Buffer.from("you?"))
      response.emit("end")
      assert.strictEqual((yield* end(line)).reason.message, "403 3 who are you?")
    })
  )

  it.effect("does not wait for the end of a body without one", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* opening()
      const response = refusal()
      socket.emit("unexpected-response", undefined, response)
      for (let i = 0; i < 5; i++) response.emit("data", Buffer.alloc(16 * 1024))
      assert.strictEqual((yield* end(line)).reason._tag, "Auth")
    })
  )

  it.effect("fails what has not left, and takes nothing more", () =>
    Effect.gen(function* () {
      const { line, socket } = yield* open
      const sending = yield* Effect.forkChild(Effect.flip(line.send([{}])), { startImmediately: true })
      socket.emit("close", 1006, Buffer.from(""))
      assert.strictEqual((yield* Fiber.join(sending)).reason.message, "the connection to example:443 is closed")
      assert.strictEqual((yield* Effect.flip(line.send([{}]))).reason._tag, "ConnectionLost")
      assert.isFalse(line.post({}))
      assert.isFalse(line.audio(new Uint8Array(2)))
    })
  )

  it.effect("comes with its scope, politely where there is somebody", () =>
    Effect.gen(function* () {
      for (const [isOpen, how] of [
        [true, "closed"],
        [false, "terminated"]
      ] as const) {
        const scope = yield* Scope.make()
        const { line, socket } = yield* Scope.provide(isOpen ? open : opening(), scope)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(socket.ended, how)
        assert.strictEqual((yield* end(line)).reason.message, "the connection was closed on this side")
      }
    })
  )

  it.effect("takes a socket with it that comes too late", () =>
    Effect.gen(function* () {
      const { socket } = yield* opening((line, socket) => {
        line.end(errors.lost("no"))
        line.attach(socket)
      })
      assert.strictEqual(socket.ended, "terminated")
    })
  )

  it.effect("is no word of the SDK where that throws", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(
        opening(() => {
          throw new Error("key=secret")
        })
      )
      assert.strictEqual(failed.reason.message, "could not be set up")
    })
  )
})
