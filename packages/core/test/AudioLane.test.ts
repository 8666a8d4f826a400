import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { pcm } from "../src/Audio.ts"
import type { Connection } from "../src/BidiModel.ts"
import { AudioBuffer } from "../src/internal/connection/audioBuffer.ts"

const format = pcm(8000)
const CAPACITY = 40_000 // bytes of 2.5 s

/** The same lane, as frames in a list. */
class List {
  frames: Array<{ readonly number: number; readonly length: number; sent: boolean }> = []
  brought = 0
  taken = 0 // frames before it belong to a turn
  lost = 0
  connected = false
  accepts = 0 // frames the connection still takes
  held = Infinity
  heard: Array<number> = []
  waited = 0

  bring(length: number) {
    this.frames.push({ number: this.brought++, length, sent: false })
    while (this.frames.length > 1 && this.frames.reduce((sum, frame) => sum + frame.length, 0) > CAPACITY) {
      if (!this.frames.shift()!.sent) this.lost++
    }
    if (!this.pass()) this.waited++
  }

  pass(): boolean {
    const due = this.frames.filter((frame) => !frame.sent && frame.number < this.held)
    const next = this.connected ? due.slice(0, this.accepts) : []
    for (const frame of next) frame.sent = true
    this.accepts -= next.length
    this.heard.push(...next.map((frame) => frame.number))
    return this.connected && next.length === due.length
  }

  committed() {
    this.taken = this.brought - this.frames.filter((frame) => !frame.sent).length
  }

  answered() {
    this.frames = this.frames.filter((frame) => !frame.sent || frame.number >= this.taken)
  }

  takenBack(until: number) {
    this.frames = this.frames.filter((frame) => frame.number >= until)
  }

  rewind() {
    for (const frame of this.frames) frame.sent = false
    this.taken = this.frames[0]?.number ?? this.brought
  }
}

// what a frame says: its number, then its place, over and over
const sound = (number: number, length: number) =>
  Uint8Array.from({ length }, (_, at) => (at % 2 === 0 ? number % 251 : at % 241))

const Step = Schema.Union([
  Schema.Struct({
    _tag: Schema.Literal("bring"),
    length: Schema.Literals([1, 320, 321, 3200, 13_000, 39_999, 50_000])
  }),
  Schema.Struct({ _tag: Schema.Literal("bringMany"), count: Schema.Literals([1, 40, 130]) }),
  Schema.Struct({ _tag: Schema.Literal("connect"), accepts: Schema.Literals([0, 1, 5, 1000]) }),
  Schema.Struct({ _tag: Schema.Literal("hold"), back: Schema.Literals([0, 1, 3]) }),
  Schema.Struct({ _tag: Schema.Literals(["disconnect", "release", "pass"]) }),
  Schema.Struct({ _tag: Schema.Literals(["committed", "answered", "rewind"]) }),
  Schema.Struct({ _tag: Schema.Literal("takenBack"), back: Schema.Literals([0, 1, 7, 100]) })
])

describe("the lane of the user's speech", () => {
  it.prop("sends what a list of frames would send", [Schema.Array(Step)], ([steps]) => {
    let lost = 0
    let waited = 0
    const list = new List()
    const lane = new AudioBuffer(
      format,
      () => lost++,
      () => waited++
    )
    const lengths: Array<number> = []
    const heard: Array<Uint8Array> = []
    let accepts = 0
    const sendAudio = (frame: Uint8Array) => accepts > 0 && accepts-- > 0 && heard.push(frame) > 0
    const connection = { sendAudio } as unknown as Connection
    const bring = (length: number) => {
      const number = lengths.push(length) - 1
      lane.push(sound(number, length))
      list.bring(length)
    }
    const back = (count: number) => Math.max(lane.oldest, lane.total - count)
    for (const step of steps) {
      switch (step._tag) {
        case "bring":
          bring(step.length)
          break
        case "bringMany":
          for (let i = 0; i < step.count; i++) bring(320)
          break
        case "connect":
          lane.connect(connection)
          list.connected = true
          accepts = list.accepts = step.accepts
          break
        case "disconnect":
          lane.connect(undefined)
          list.connected = false
          break
        case "hold":
          list.held = back(step.back)
          lane.hold(list.held)
          break
        case "release":
          lane.hold(undefined)
          list.held = Infinity
          break
        case "pass":
          assert.strictEqual(lane.flush(), list.pass())
          break
        case "takenBack": {
          const until = back(step.back)
          lane.discardUntil(until)
          list.takenBack(until)
          break
        }
        default:
          lane[step._tag]()
          list[step._tag]()
      }
      assert.strictEqual(lane.total, list.brought)
      assert.strictEqual(lane.oldest, list.frames[0]?.number ?? list.brought)
      assert.strictEqual(lost, list.lost)
      assert.strictEqual(waited, list.waited)
    }
    assert.deepStrictEqual(
      heard,
      list.heard.map((number) => sound(number, lengths[number]!))
    )
  })
})
