import { cases } from "../../../scripts/cases.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Sequencer from "../src/internal/sequencer.ts"
import { receive } from "../src/internal/decode.ts"
import { type Frame, overdue } from "../src/internal/frame.ts"
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

  const late = (create: any) => overdue(create.event_id)

  it("asks once more when a request is lost, with its instructions, and then goes on without it", () => {
    const state = start()
    const [create] = send(state, respond("Be brief."))
    const [cancel, again, ...others] = answers(state, late(create))
    assert.strictEqual(cancel.type, "response.cancel") // or a request that was only slow would have two replies
    assert.strictEqual(instructionsOf(again), "Be brief.")
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(send(state, respond("Be polite.")), [])
    assert.deepStrictEqual(answers(state, late(create)), []) // of before
    const out = receive(state, [late(again)])
    assert.deepStrictEqual(
      out.events.map((event) => event._tag === "NoResponse" && event.error.reason.code),
      ["no_reply"]
    )
    assert.deepStrictEqual(
      out.frames.map((frame: any) => [frame.type, instructionsOf(frame)]),
      [
        ["response.cancel", undefined],
        ["response.create", "Be polite."]
      ]
    )
  })

  it("does not wait for ever after a refusal that names no event, and keeps the instructions", () => {
    const state = start()
    const [create] = send(state, respond("Say exactly: hello"))
    const told = receive(state, [F.error({ type: "server_error", code: null })])
    assert.deepStrictEqual(
      told.events.map(({ _tag }) => _tag),
      ["Problem"]
    )
    const [, again] = answers(state, late(create))
    assert.strictEqual(instructionsOf(again), "Say exactly: hello")
    const started = receive(state, [F.created("resp_1"), late(again)])
    assert.deepStrictEqual(
      started.events.map(({ _tag }) => _tag),
      ["ResponseStarted"]
    )
    assert.deepStrictEqual(started.frames, [])
  })

  it("does not take the time of a request that was answered for over", () => {
    const state = start()
    const [create] = send(state, respond())
    assert.deepStrictEqual(answers(state, F.created("resp_1"), late(create), F.done("resp_1"), late(create)), [])
  })

  // `conversation_already_has_active_response` as a browser client got it (wires.md, measured 2026-10-09)
  it("keeps the instructions of a request that was refused as one too many, though the refusal names no event", () => {
    const state = start()
    send(state, respond("Say exactly: hello"))
    const heard = answers(state, ...F.userSpeech.slice(0, 3), F.created("resp_vad"), F.busy(null))
    assert.deepStrictEqual(heard, [])
    assert.deepStrictEqual(answers(state, F.done("resp_vad")).map(instructionsOf), ["Say exactly: hello"])
  })

  it("knows the refusal of a turn that was heard during a reply from that of a request", () => {
    const state = start()
    send(state, respond("Say exactly: hello"))
    receive(state, [F.created("resp_1"), F.userSpeech[2]!, F.busy(null)])
    assert.deepStrictEqual(answers(state, F.done("resp_1")).map(instructionsOf), [undefined])
  })

  it("says that another reply follows, when the provider's own was faster", () => {
    const state = start()
    send(state, respond("Be brief."))
    const own = events(state, F.userSpeech[2]!, F.created("resp_vad"))
    assert.deepInclude(own.at(-1), { _tag: "ResponseStarted", more: true })
  })

  it("goes on when it was refused as one too many, and nothing is ever heard of the other reply", () => {
    const state = start()
    const [create] = send(state, respond("Be brief."))
    assert.deepStrictEqual(answers(state, F.busy(create.event_id)), [])
    assert.deepStrictEqual(answers(state, late(create)).map(instructionsOf), ["Be brief."])
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
  "lose", // the next request gets lost
  "anonymous", // the next error names no event
  "finish", // the provider ends its response
  "up", // a frame arrives at the provider
  "down", // a frame arrives here
  "late" // the time of the last request is over, whatever is on its way
])

interface Wish {
  readonly instructions: string | undefined
  /** By a response, or by the word that none will come. */
  answeredBy: string | undefined
}

/** A provider with at most one active response, and wires in both directions. */
class World {
  readonly state = start()
  readonly up: Array<any> = []
  readonly down: Array<Frame> = []
  readonly wishes: Array<Wish> = []
  active: string | undefined
  refusing = false
  losing = false
  anonymous = false
  refused = 0
  noResponses = 0
  givenUp = 0
  slowed = false
  count = 0
  /** Whether we have reason to think that a request is open, or a reply active. */
  open = false
  known: string | undefined
  /** The request that was sent last. */
  last: { readonly frame: any; readonly since: number } | undefined

  move(move: typeof Move.Type): void {
    switch (move) {
      case "request":
        return this.want(undefined)
      case "instruct":
        return this.want(`wish ${this.count++}`)
      case "refuse":
        this.refusing = true
        return
      case "lose":
        this.losing = true
        return
      case "anonymous":
        this.anonymous = true
        return
      case "hear":
        this.down.push(F.frame("input_audio_buffer.committed", { item_id: `item_${this.count++}` }))
        if (this.active === undefined) this.begin()
        else this.down.push(F.busy(null))
        return
      case "finish":
        if (this.active !== undefined) this.down.push(F.done(this.active, { usage: null }))
        this.active = undefined
        return
      case "up": {
        const sent = this.up.shift()
        if (sent !== undefined) this.arrive(sent)
        return
      }
      case "down": {
        const frame = this.down.shift()
        if (frame === undefined) return
        this.learn(frame)
        return this.take(frame)
      }
      case "late": {
        if (this.last === undefined) return
        // the line is too slow for a request once; after that only those are late that are lost
        while (this.slowed && this.up.length + this.down.length > 0) {
          this.move("up")
          this.move("down")
        }
        this.slowed = true
        this.open = false
        return this.take(overdue(this.last.frame.event_id))
      }
    }
  }

  private take(frame: Frame) {
    const out = receive(this.state, [frame])
    const told = out.events.filter((event) => event._tag === "NoResponse")
    this.noResponses += told.length
    if (told.some(({ error }) => error.reason.code === "no_reply")) {
      this.givenUp++
      const { frame, since } = this.last!
      // what there may be of a reply after all is cut off by the next request
      for (const wish of this.spokenFor(frame, since)) wish.answeredBy = "no reply"
    }
    this.post(out.frames)
  }

  private want(instructions: string | undefined) {
    this.wishes.push({ instructions, answeredBy: undefined })
    this.post(send(this.state, respond(instructions)))
  }

  private post(frames: ReadonlyArray<any>) {
    // a wish counts as answered by a reply that was asked for after it
    for (const frame of frames) {
      const sent = { frame, since: this.wishes.length }
      this.up.push(sent)
      if (frame.type !== "response.create") continue
      assert.isUndefined(this.known, "asked while a reply is known to be active")
      assert.isFalse(this.open, "asked twice")
      this.open = true
      this.last = sent
    }
  }

  private learn(frame: any) {
    if (frame.type === "response.created") {
      this.known = frame.response.id
      this.open = false
    }
    if (frame.type === "response.done" && frame.response.id === this.known) this.known = undefined
    if (frame.type === "error" && frame.error.code !== "response_cancel_not_active") this.open = false
  }

  private begin(): string {
    this.active = `resp_${++this.count}`
    this.down.push(F.created(this.active))
    return this.active
  }

  /** The wishes that a request speaks for. */
  private spokenFor(frame: any, since: number): ReadonlyArray<Wish> {
    const text: string = frame.response?.instructions ?? ""
    return this.wishes
      .slice(0, since)
      .filter(({ instructions }) => instructions === undefined || text.split("\n\n").includes(instructions))
  }

  private covered(frame: any, since: number): ReadonlyArray<Wish> {
    return this.spokenFor(frame, since).filter(({ answeredBy }) => answeredBy === undefined)
  }

  private name(eventId: string): string | null {
    const named = this.anonymous ? null : eventId
    this.anonymous = false
    return named
  }

  private arrive({ frame, since }: { frame: any; since: number }) {
    if (frame.type === "response.cancel") {
      if (this.active === undefined) {
        this.down.push(F.error({ code: "response_cancel_not_active", event_id: this.name(frame.event_id) }))
        return
      }
      // what was cut off before it was heard is no answer
      for (const wish of this.wishes) if (wish.answeredBy === this.active) wish.answeredBy = undefined
      this.down.push(F.cancelled(this.active))
      this.active = undefined
      return
    }
    if (this.losing) {
      this.losing = false
      return
    }
    if (this.active !== undefined) {
      this.down.push(F.busy(this.name(frame.event_id)))
      return
    }
    if (this.refusing) {
      this.refusing = false
      const eventId = this.name(frame.event_id)
      this.down.push(F.error({ code: "invalid_value", event_id: eventId }))
      // one that does not say what it is about is not the last word
      if (eventId === null) return
      this.refused++
      for (const wish of this.covered(frame, since)) wish.answeredBy = "no reply"
      return
    }
    const covered = this.covered(frame, since)
    const responseId = this.begin()
    for (const wish of covered) wish.answeredBy = responseId
  }

  /** Lets everything arrive and end. */
  settle() {
    for (let i = 0; i < 1000; i++) {
      if (this.up.length + this.down.length === 0 && this.active === undefined) {
        if (this.state.sequencer.request === undefined) return
        this.move("late")
      }
      this.move("up")
      this.move("down")
      if (this.up.length + this.down.length === 0) this.move("finish")
    }
    assert.fail("requests go round in circles")
  }
}

describe("whatever happens, in whatever order", () => {
  // a provider that does not name what it refuses is not also one that loses requests, on a line that is slow
  const lived = (vague: boolean, moves: ReadonlyArray<typeof Move.Type>) => {
    const world = new World()
    for (const move of moves) if (vague ? move !== "lose" && move !== "late" : move !== "anonymous") world.move(move)
    world.settle()
    return world
  }

  it.prop(
    "every request is answered by a reply that was begun after it and follows its instructions, or refused, or given up",
    [Schema.Boolean, Schema.Array(Move)],
    ([vague, moves]) => {
      const world = lived(vague, moves)
      assert.deepStrictEqual(
        world.wishes.filter((wish) => wish.answeredBy === undefined),
        []
      )
      assert.strictEqual(world.noResponses, world.refused + world.givenUp)
    },
    cases(500, 60)
  )

  it.prop(
    "nobody asks while a reply is known to be active, or twice; in the end nothing is left to ask",
    [Schema.Boolean, Schema.Array(Move)],
    ([vague, moves]) => {
      const { sequencer } = lived(vague, moves).state
      assert.strictEqual(sequencer.pending, undefined)
      assert.strictEqual(sequencer.request, undefined)
      assert.strictEqual(sequencer.active, undefined)
    },
    cases(500, 60)
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
