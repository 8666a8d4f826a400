import { assert, describe, it } from "@effect/vitest"
import * as Pcm from "@effect-bidi/emulator/Pcm"
import type { Options } from "./support/fold.ts"
import { aLaw, muLaw } from "../src/internal/audio/g711.ts"
import { Fold, of, one, saidIn, typesOf, update, userText } from "./support/fold.ts"
import { appends, quiet, tone } from "./support/sound.ts"

const turn = Pcm.concat([quiet(400), tone(600), quiet(600)])
const vad = (detection: object) =>
  update({ audio: { input: { turn_detection: { type: "server_vad", ...detection } } } })
const manual = update({ audio: { input: { turn_detection: null } } })
const hears = (text: string, options: Options = {}) => new Fold({ hear: () => text, ...options })
const commit = { type: "input_audio_buffer.commit" }
const create = { type: "response.create" }

describe("with a detector", () => {
  it("a turn is found, committed under its name, and answered", () => {
    const fold = hears("my name is Ada")
    const events = [...fold.send(...appends(turn)), ...fold.pass()]
    assert.deepStrictEqual(typesOf(events).slice(0, 6), [
      "input_audio_buffer.speech_started",
      "input_audio_buffer.speech_stopped",
      "input_audio_buffer.committed",
      "conversation.item.added",
      "conversation.item.done",
      "response.created"
    ])
    const [started, stopped, committed, added] = events
    assert.strictEqual(started!.audio_start_ms, 100)
    assert.strictEqual(stopped!.audio_end_ms, 1200)
    assert.strictEqual(new Set([started!.item_id, stopped!.item_id, committed!.item_id, added!.item.id]).size, 1)
    assert.isNull(committed!.previous_item_id)
    assert.deepStrictEqual(added!.item.content, [{ type: "input_audio", transcript: null }])
    assert.strictEqual(saidIn(events), "Nice to meet you, Ada.")
  })

  it("the sound between padding and pause can be had back", () => {
    const fold = hears("")
    const { item_id } = one(fold.send(...appends(turn, 37)), "input_audio_buffer.committed")
    const { item } = one(fold.send({ type: "conversation.item.retrieve", item_id }), "conversation.item.retrieved")
    const sound = Pcm.fromBytes(Buffer.from(item.content[0].audio, "base64"), 24_000)
    assert.strictEqual(Pcm.durationMs(sound), 1100)
    assert.deepStrictEqual(sound.samples, turn.samples.slice(100 * 24, 1200 * 24))
  })

  it("many turns in one message are many turns, in order", () => {
    const heard: Array<number> = []
    const fold = new Fold({
      speed: Number.POSITIVE_INFINITY,
      hear: (pcm) => {
        heard.push(Pcm.durationMs(pcm))
        return "hello"
      }
    })
    fold.send(vad({ create_response: false }))
    const events = fold.send(...appends(Pcm.concat([turn, turn, turn]), 60_000))
    const committed = of(events, "input_audio_buffer.committed")
    assert.strictEqual(committed.length, 3)
    assert.strictEqual(committed[1]!.previous_item_id, committed[0]!.item_id)
    assert.strictEqual(committed[2]!.previous_item_id, committed[1]!.item_id)
    assert.strictEqual(heard.length, 3)
  })

  it("speech cancels the reply", () => {
    const fold = hears("hello")
    fold.send(userText("tell me a long story"), create)
    for (let i = 0; i < 20; i++) fold.wake()
    const events = fold.send(...appends(tone(100)))
    assert.strictEqual(typesOf(events)[0], "input_audio_buffer.speech_started")
    assert.deepInclude(one(events, "response.done").response, {
      status: "cancelled",
      status_details: { type: "cancelled", reason: "turn_detected" }
    })
  })

  it("speech lets the reply be when the session says so, and the answer to it has to wait", () => {
    const fold = hears("hello")
    fold.send(vad({ interrupt_response: false }), userText("tell me a long story"), create)
    fold.wake()
    const events = fold.send(...appends(turn))
    assert.strictEqual(of(events, "response.done").length, 0)
    assert.strictEqual(one(events, "error").error.code, "conversation_already_has_active_response")
  })

  it("makes no response when the session does not want one", () => {
    const fold = hears("hello")
    fold.send(vad({ create_response: false }))
    assert.strictEqual(of(fold.send(...appends(turn)), "response.created").length, 0)
  })

  it("waits as long as it is told: the pause, and the eagerness", () => {
    const pause = (detection: object): number => {
      const fold = hears("")
      fold.send(update({ audio: { input: { turn_detection: detection } } }))
      return (
        one(fold.send(...appends(Pcm.concat([tone(500), quiet(2000)]), 5000)), "input_audio_buffer.speech_stopped")
          .audio_end_ms - 500
      )
    }
    assert.strictEqual(pause({ type: "server_vad", silence_duration_ms: 900 }), 900)
    assert.strictEqual(pause({ type: "semantic_vad", eagerness: "high" }), 300)
    assert.strictEqual(pause({ type: "semantic_vad", eagerness: "low" }), 1200)
  })

  it("a turn survives an update of something else, and not one of the detector", () => {
    const fold = hears("hello")
    const { item_id } = one(fold.send(...appends(tone(300))), "input_audio_buffer.speech_started")
    fold.send(update({ instructions: "Be brief." }))
    assert.strictEqual(one(fold.send(...appends(quiet(600))), "input_audio_buffer.committed").item_id, item_id)
    fold.pass()
    fold.send(...appends(tone(300)), vad({ threshold: 0.6 }))
    assert.deepStrictEqual(fold.send(...appends(quiet(600))), [])
  })

  it("a client can end the turn itself", () => {
    const fold = hears("hello")
    const { item_id } = one(fold.send(...appends(tone(300))), "input_audio_buffer.speech_started")
    const events = fold.send(commit)
    assert.strictEqual(one(events, "input_audio_buffer.committed").item_id, item_id)
    assert.deepStrictEqual(fold.send(...appends(quiet(800))), [])
  })

  it("quiet for hours is not kept", () => {
    const fold = new Fold()
    for (let minute = 0; minute < 10; minute++) fold.send(...appends(quiet(60_000), 10_000))
    const { item_id } = one(fold.send(commit), "input_audio_buffer.committed")
    const { item } = one(fold.send({ type: "conversation.item.retrieve", item_id }), "conversation.item.retrieved")
    assert.isBelow(Buffer.from(item.content[0].audio, "base64").length / 48, 12_000)
    // and the positions still count all of it
    assert.strictEqual(
      one(fold.send(...appends(tone(200))), "input_audio_buffer.speech_started").audio_start_ms,
      600_000
    )
  })

  it("asks whether anybody is there, once, after the reply was heard and the patience is over", () => {
    const fold = hears("hello", { speed: Number.POSITIVE_INFINITY })
    fold.send(vad({ idle_timeout_ms: 5000 }))
    fold.ask("my name is Ada")
    const heardAt = 2030
    assert.strictEqual(of(fold.pass(5000), "input_audio_buffer.timeout_triggered").length, 0)
    fold.send(...appends(quiet(1000)))
    const events = fold.pass(heardAt)
    assert.deepInclude(one(events, "input_audio_buffer.timeout_triggered"), { audio_start_ms: 0, audio_end_ms: 1000 })
    one(events, "input_audio_buffer.committed")
    assert.strictEqual(saidIn(events), "Are you still there?")
    assert.deepStrictEqual(fold.pass(60_000), [])
  })

  it("does not ask when somebody speaks", () => {
    const fold = hears("my name is Ada", { speed: Number.POSITIVE_INFINITY })
    fold.send(vad({ idle_timeout_ms: 5000, create_response: false }))
    fold.ask("hello")
    fold.send(...appends(turn))
    assert.strictEqual(of(fold.pass(60_000), "input_audio_buffer.timeout_triggered").length, 0)
  })
})

describe("without a detector", () => {
  it("nothing happens until the commit, and no reply until it is asked for", () => {
    const fold = hears("my name is Ada")
    fold.send(manual)
    assert.deepStrictEqual(fold.send(...appends(turn)), [])
    assert.deepStrictEqual(typesOf(fold.send(commit)), [
      "input_audio_buffer.committed",
      "conversation.item.added",
      "conversation.item.done"
    ])
    fold.send(create)
    assert.strictEqual(saidIn(fold.pass()), "Nice to meet you, Ada.")
  })

  it("less than 100 ms is nothing to commit", () => {
    const fold = hears("")
    fold.send(manual, ...appends(tone(99)))
    const { error } = one(fold.send(commit), "error")
    assert.strictEqual(error.code, "input_audio_buffer_commit_empty")
    assert.include(error.message, "only has 99.00ms")
    fold.send(...appends(tone(1)))
    one(fold.send(commit), "input_audio_buffer.committed")
    assert.include(one(fold.send(commit), "error").error.message, "only has 0.00ms")
  })

  it("cleared sound is gone", () => {
    const fold = hears("")
    fold.send(manual, ...appends(tone(500)))
    one(fold.send({ type: "input_audio_buffer.clear" }), "input_audio_buffer.cleared")
    assert.include(one(fold.send(commit), "error").error.message, "only has 0.00ms")
  })

  it.each([
    ["audio/pcmu", muLaw],
    ["audio/pcma", aLaw]
  ] as const)("telephone sound in %s is heard at 8 kHz", (type, law) => {
    const heard: Array<Pcm.Pcm> = []
    const fold = new Fold({
      hear: (pcm) => {
        heard.push(pcm)
        return "hello"
      }
    })
    fold.send(update({ audio: { input: { format: { type }, turn_detection: null } } }))
    const sound = tone(300, 8000, 8000)
    fold.send(
      { type: "input_audio_buffer.append", audio: Buffer.from(law.encode(sound.samples)).toString("base64") },
      commit
    )
    assert.strictEqual(heard[0]!.sampleRate, 8000)
    assert.deepStrictEqual(heard[0]!.samples, law.decode(law.encode(sound.samples)))
  })
})
