import { assert, describe, it } from "@effect/vitest"
import { RequestBody, AUDIO_QUEUE_FRAMES } from "../src/internal/requestBody.ts"

const make = () => {
  const body = new RequestBody()
  const iterator = body[Symbol.asyncIterator]()
  /** What is pulled next, by the name of the event; `undefined` at the end. */
  const pull = async () => {
    const { value } = await iterator.next()
    return value === undefined ? undefined : Object.keys(JSON.parse(Buffer.from(value.chunk.bytes).toString()).event)[0]
  }
  return { body, iterator, pull }
}

const event = (name: string) => ({ [name]: {} })
const sound = Buffer.from(JSON.stringify({ event: event("sound") }))

describe("the body", () => {
  it("lets events pass sound, and keeps them together", async () => {
    const { body, pull } = make()
    body.sound(sound)
    body.send([event("a"), event("b")], () => {})
    assert.strictEqual(await pull(), "a")
    body.sound(sound)
    body.send([event("c")], () => {})
    const rest = [await pull(), await pull(), await pull(), await pull()]
    assert.deepStrictEqual(rest, ["b", "c", "sound", "sound"])
  })

  it("waits for what comes", async () => {
    const { body, pull } = make()
    const pulled = pull()
    body.sound(sound)
    assert.strictEqual(await pulled, "sound")
  })

  it("tells when the last event of a batch was pulled, not before", async () => {
    const { body, pull } = make()
    const left: Array<string> = []
    body.sound(sound)
    body.send([event("a"), event("b")], () => left.push("ab"))
    body.send([], () => left.push("none"))
    body.send([event("c")], () => left.push("c"))
    await pull()
    assert.deepStrictEqual(left, [])
    await pull()
    assert.deepStrictEqual(left, ["ab", "none"])
    await pull()
    assert.deepStrictEqual(left, ["ab", "none", "c"])
    assert.strictEqual(await pull(), "sound")
  })

  it("is full when as much sound waits as may", async () => {
    const { body, pull } = make()
    for (let i = 0; i < AUDIO_QUEUE_FRAMES; i++) {
      assert.isFalse(body.isFull)
      body.sound(sound)
    }
    assert.isTrue(body.isFull)
    body.send([event("a")], () => {})
    assert.strictEqual(await pull(), "a")
    assert.isTrue(body.isFull)
    await pull()
    assert.isFalse(body.isFull)
  })

  it("ends with its last words, and without the sound that waits", async () => {
    const { body, pull } = make()
    body.send([event("a")], () => {})
    body.sound(sound)
    body.end([event("bye")])
    assert.isTrue(body.isFull)
    assert.deepStrictEqual([await pull(), await pull(), await pull(), await pull()], ["a", "bye", undefined, undefined])
  })

  it("stops at once, whoever stops it", async () => {
    for (const how of ["stop", "return"] as const) {
      const { body, iterator, pull } = make()
      const left: Array<string> = []
      body.send([event("a"), event("b")], () => left.push("left"))
      assert.strictEqual(await pull(), "a")
      if (how === "stop") body.stop()
      else await iterator.return?.()
      assert.isUndefined(await pull())
      assert.deepStrictEqual(left, [])
    }
    const { body, pull } = make()
    const pulled = pull()
    body.stop()
    assert.isUndefined(await pulled)
  })
})
