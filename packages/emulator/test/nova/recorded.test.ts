/**
 * What the emulator sends, against frames of the service: the same fields, in the same order where order counts.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import { calculator, audio, contentEnd, Nova, promptEnd, sessionEnd, tools, words } from "../support/nova.ts"
import type { Json } from "../support/nova.ts"
import { keysOf, recorded } from "../support/recorded.ts"
import { quiet, tone } from "../support/sound.ts"

const frames = recorded("nova").flatMap(({ event, scene }) => (event === undefined ? [] : [{ scene, event }]))

/** What kind of event it is: two of a kind have the same fields. */
const kindOf = (event: Json): string => {
  const [type] = Object.keys(event)
  const { additionalModelFields = "{}", content = "", role = "", type: of = "" } = event[type!] as Json
  const stage = (JSON.parse(additionalModelFields as string) as Json).generationStage ?? ""
  const marker = type === "textOutput" && /interrupted/.test(content as string) ? "interrupted" : ""
  return [type, of, type === "contentEnd" ? "" : role, stage, marker].filter((part) => part !== "").join(" ")
}

const speech = audio(Pcm.concat([tone(800, 8000, 16_000), quiet(1800, 16_000)]))

/** A spoken question that is answered, a call, a story that is cut off, and the end. */
const talk = (): ReadonlyArray<Json> => {
  const stream = new Nova({ begin: tools(calculator), speed: 8, hear: () => "my name is Ada" })
  stream.send(...speech)
  stream.settle()
  stream.ask("calculate 2 times 3")
  stream.send(...words("tell me a story"))
  stream.pass(3000)
  stream.send(...audio(tone(800, 8000, 16_000)))
  stream.send(contentEnd("audio"), promptEnd)
  stream.settle()
  stream.send(sessionEnd)
  return stream.events.map((one) => one.event as Json)
}

describe("the emulator sends what the service sends", () => {
  const sent = talk()

  it.each(frames.map(({ event }) => [kindOf(event), event] as const))("%s", (kind, event) => {
    const mine = sent.filter((one) => kindOf(one) === kind)
    assert.isAbove(mine.length, 0, `the emulator never sends ${kind}`)
    for (const one of mine) {
      // what a tool is called with is no field of the wire
      const plain = (some: Json) => (some.toolUse === undefined ? some : { toolUse: { ...some.toolUse, content: "" } })
      assert.deepStrictEqual(keysOf(plain(one)), keysOf(plain(event)))
    }
  })

  it.each(["turn", "call", "cut"])("in the order of the scene %s", (scene) => {
    const order = frames.filter((frame) => frame.scene === scene).map(({ event }) => kindOf(event))
    let from = 0
    for (const kind of order) {
      const at = sent.findIndex((one, i) => i >= from && kindOf(one) === kind)
      assert.isAtLeast(at, 0, `${kind} does not follow ${JSON.stringify(sent[from - 1])}`)
      from = at + 1
    }
  })

  it("with the values that are always the same", () => {
    const fixed = ["mediaType", "sampleSizeBits", "channelCount", "encoding", "sampleRateHertz", "stopReason"]
    const valuesOf = (value: unknown): ReadonlyArray<string> =>
      typeof value !== "object" || value === null
        ? []
        : Object.entries(value).flatMap(([key, inner]) =>
            fixed.includes(key) ? [`${key} ${inner as string}`] : valuesOf(inner)
          )
    const all = new Set(sent.flatMap(valuesOf))
    for (const { event } of frames) assert.includeMembers([...all], [...valuesOf(event)])
  })
})

it("the exceptions of the service are those of the emulator, in its words", () => {
  const told = new Map(recorded("nova").flatMap(({ exception, scene }) => (exception ? [[scene, exception]] : [])))
  const limit = new Nova({ sessionMs: 1000 })
  limit.pass(1000)
  assert.deepInclude(limit.exception, {
    type: told.get("limit")!.name,
    message: `${told.get("limit")!.message.replace(" Try your request again.", "")} Try your request again.`
  })
  const silent = new Nova({ silenceMs: 1000 })
  silent.pass(1000)
  assert.strictEqual(silent.exception!.type, told.get("quiet")!.name)
  assert.isTrue((silent.exception!.message as string).endsWith(told.get("quiet")!.message))
})
