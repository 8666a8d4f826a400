import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Sequencer from "../src/internal/sequencer.ts"
import { receive } from "../src/internal/decode.ts"
import type { Frame } from "../src/internal/frame.ts"
import * as F from "./fixtures/frames.ts"
import { answers, events, send, start } from "./support/protocol.ts"

const respond = (instructions?: string) =>
  ({ _tag: "Respond", ...(instructions === undefined ? {} : { instructions }) }) as const
const instructionsOf = (frame: any) => frame.response?.instructions

describe("one reply at a time", () => {
  it("asks at once when nothing is active", () => {
    assert.deepStrictEqual(send(start(), respond()), [{ type: "response.create", event_id: "bidi_1" }])
  })

  it("makes one of all requests that have to wait", () => {
    const state = start()
    receive(state, [F.created("resp_1")])
    for (let i = 0; i < 3; i++) assert.deepStrictEqual(send(state, respond()), [])
    assert.strictEqual(answers(state, F.done("resp_1")).length, 1)
    assert.deepStrictEqual(answers(state, F.created("resp_2"), F.done("resp_2")), [])
  })

  it("waits for its own request too", () => {
    const state = start()
    send(state, respond())
    assert.deepStrictEqual(send(state, respond()), [])
    assert.deepStrictEqual(answers(state, F.created("resp_1")), [])
    assert.strictEqual(answers(state, F.done("resp_1")).length, 1)
  })

  it("loses no instructions: the one reply follows all of them, each once", () => {
    const state = start({ instructions: "You are Ada." })
    receive(state, [F.created("resp_1")])
    for (const one of [respond(), respond("Be brief."), respond("Say the time."), respond("Be brief."), respond()]) {
      send(state, one)
    }
    const [create] = answers(state, F.done("resp_1"))
    assert.strictEqual(instructionsOf(create), "You are Ada.\n\nBe brief.\n\nSay the time.")
  })

  it("asks again, with its instructions, when the provider's own reply was faster", () => {
    const state = start()
    const [create] = send(state, respond("Be brief."))
    assert.deepStrictEqual(answers(state, F.created("resp_vad"), F.busy(create.event_id)), [])
    const [again] = answers(state, F.done("resp_vad"))
    assert.strictEqual(instructionsOf(again), "Be brief.")
    assert.notStrictEqual(again.event_id, create.event_id)
  })

  it("asks again when it is told of the other reply before it hears of it", () => {
    const state = start()
    const [create] = send(state, respond())
    assert.deepStrictEqual(answers(state, F.busy(create.event_id), F.created("resp_vad")), [])
    assert.strictEqual(answers(state, F.done("resp_vad")).length, 1)
  })

  it("asks again at once when the other reply was over before the refusal came, but only once", () => {
    const state = start()
    const [create] = send(state, respond())
    assert.deepStrictEqual(answers(state, F.created("resp_vad"), F.done("resp_vad")), [])
    const [again] = answers(state, F.busy(create.event_id))
    assert.strictEqual(again.type, "response.create")
    assert.deepStrictEqual(answers(state, F.busy(again.event_id)), [])
  })

  it("asks for the reply that the provider could not start because ours was active", () => {
    const state = start()
    send(state, respond())
    assert.deepStrictEqual(answers(state, F.created("resp_1"), F.busy(null)), [])
    assert.strictEqual(answers(state, F.done("resp_1")).length, 1)
  })

  it("says when a reply will not come, and asks for the one that waited", () => {
    const state = start()
    const [create] = send(state, respond())
    send(state, respond("Be brief."))
    const out = receive(state, [F.error({ code: "invalid_value", event_id: create.event_id })])
    assert.deepStrictEqual(
      out.events.map((event) => event._tag),
      ["NoResponse"]
    )
    assert.deepStrictEqual(out.frames.map(instructionsOf), ["Be brief."])
  })

  it("does not take the end of another reply for the end of the active one", () => {
    const state = start()
    receive(state, [F.created("resp_1"), F.created("resp_2")])
    send(state, respond())
    assert.deepStrictEqual(answers(state, F.done("resp_1")), [])
    assert.strictEqual(answers(state, F.done("resp_2")).length, 1)
  })

  it("takes a reply for active whose beginning got lost", () => {
    const state = start()
    assert.deepStrictEqual(
      events(state, F.words("resp_1", "item_1", "Hi")).map((event) => event._tag),
      ["ResponseStarted", "TranscriptDelta"]
    )
    assert.deepStrictEqual(send(state, respond()), [])
    assert.strictEqual(answers(state, F.done("resp_1")).length, 1)
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// laws, against a provider that behaves like the real one, with frames in flight in both directions
// ---------------------------------------------------------------------------------------------------------------------

const Move = Schema.Literals([
  "request", // somebody wants a reply
  "instruct", // and says how
  "hear", // the provider's turn detection wants to reply
  "refuse", // the provider will refuse the next request for good
  "finish", // the provider ends its response
  "up", // a frame arrives at the provider
  "down" // a frame arrives here
])

/** A provider with at most one active response, and wires in both directions. */
class World {
  readonly state = start()
  readonly up: Array<any> = []
  readonly down: Array<Frame> = []
  readonly wishes: Array<{ readonly instructions: string | undefined; answered: boolean }> = []
  active: string | undefined
  refusing = false
  refused = 0
  noResponses = 0
  count = 0
  /** Whether we have reason to think that a request is open, or a reply active. */
  open = false
  known: string | undefined

  move(move: typeof Move.Type): void {
    switch (move) {
      case "request":
        return this.want(undefined)
      case "instruct":
        return this.want(`wish ${this.count++}`)
      case "refuse":
        this.refusing = true
        return
      case "hear":
        if (this.active === undefined) this.begin()
        else this.down.push(F.busy(null))
        return
      case "finish":
        if (this.active !== undefined) this.down.push(F.done(this.active, { usage: null }))
        this.active = undefined
        return
      case "up": {
        const frame = this.up.shift()
        if (frame !== undefined) this.arrive(frame)
        return
      }
      case "down": {
        const frame = this.down.shift()
        if (frame === undefined) return
        this.learn(frame)
        const out = receive(this.state, [frame])
        this.noResponses += out.events.filter((event) => event._tag === "NoResponse").length
        this.post(out.frames)
        return
      }
    }
  }

  private want(instructions: string | undefined) {
    this.wishes.push({ instructions, answered: false })
    this.post(send(this.state, respond(instructions)))
  }

  private post(frames: ReadonlyArray<any>) {
    // a wish counts as answered by a reply that was asked for after it
    for (const frame of frames) {
      assert.isUndefined(this.known, "asked while a reply is known to be active")
      assert.isFalse(this.open, "asked twice")
      this.open = true
      this.up.push({ frame, since: this.wishes.length })
    }
  }

  private learn(frame: any) {
    if (frame.type === "response.created") {
      this.known = frame.response.id
      this.open = false
    }
    if (frame.type === "response.done" && frame.response.id === this.known) this.known = undefined
    if (frame.type === "error" && frame.error.event_id !== null) this.open = false
  }

  private begin() {
    this.active = `resp_${++this.count}`
    this.down.push(F.created(this.active))
  }

  private arrive({ frame, since }: { frame: any; since: number }) {
    if (this.active !== undefined) {
      this.down.push(F.busy(frame.event_id))
      return
    }
    const text: string = frame.response?.instructions ?? ""
    const covered = this.wishes.slice(0, since).filter((wish) => !wish.answered)
    for (const wish of covered) {
      wish.answered = wish.instructions === undefined || text.split("\n\n").includes(wish.instructions)
    }
    if (this.refusing) {
      this.refusing = false
      this.refused++
      this.down.push(F.error({ code: "invalid_value", event_id: frame.event_id }))
    } else {
      this.begin()
    }
  }

  /** Lets everything arrive and end. */
  settle() {
    for (let i = 0; i < 1000; i++) {
      if (this.up.length + this.down.length === 0 && this.active === undefined) return
      this.move("up")
      this.move("down")
      if (this.up.length + this.down.length === 0) this.move("finish")
    }
    assert.fail("requests go round in circles")
  }
}

describe("whatever happens, in whatever order", () => {
  const lived = (moves: ReadonlyArray<typeof Move.Type>) => {
    const world = new World()
    for (const move of moves) world.move(move)
    world.settle()
    return world
  }

  it.prop(
    "every request is answered by a reply that was begun after it and follows its instructions, or refused",
    [Schema.Array(Move)],
    ([moves]) => {
      const world = lived(moves)
      assert.deepStrictEqual(
        world.wishes.filter((wish) => !wish.answered),
        []
      )
      assert.strictEqual(world.noResponses, world.refused)
    },
    { arbitrary: { runs: 500, size: 60 } }
  )

  it.prop(
    "nobody asks while a reply is known to be active, or twice; in the end nothing is left to ask",
    [Schema.Array(Move)],
    ([moves]) => {
      const world = lived(moves)
      assert.strictEqual(world.state.sequencer.pending, undefined)
      assert.strictEqual(world.state.sequencer.phase._tag, "Idle")
    },
    { arbitrary: { runs: 500, size: 60 } }
  )

  it("remembers a bounded number of requests", () => {
    let self = Sequencer.initial
    for (let i = 0; i < 100; i++) {
      const [next] = Sequencer.take(Sequencer.want(self, []), () => `e${i}`)
      self = Sequencer.done(Sequencer.created(next, `r${i}`), `r${i}`)
    }
    assert.isAtMost(self.asked.size, 16)
  })
})
