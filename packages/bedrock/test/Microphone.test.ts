import { assert, describe, it } from "@effect/vitest"
import * as Audio from "@effect-bidi/core/Audio"
import * as Effect from "effect/Effect"
import { Microphone, SILENCE_AFTER_MILLIS, SILENCE_MILLIS } from "../src/internal/microphone.ts"

const format = Audio.pcm(16_000)
const FRAME_BYTES = 1024 // bytes of 32 ms

const make = (full: () => boolean = () => false) => {
  const sounds: Array<Buffer> = []
  const sent: Array<unknown> = []
  const microphone = new Microphone(
    {
      isFull: full,
      audio: (event) => {
        const { audioInput } = (JSON.parse(Buffer.from(event).toString()) as { event: any }).event
        assert.deepInclude(audioInput, { promptName: "p", contentName: "mic" })
        sounds.push(Buffer.from(audioInput.content, "base64"))
      },
      send: (events) => {
        sent.push(...events)
        return Effect.void
      }
    },
    format,
    "p",
    "mic"
  )
  return { microphone, sounds, sent }
}

const tone = (bytes: number, from = 0) => Uint8Array.from({ length: bytes }, (_, i) => (from + i) % 251)

const silences = (sounds: ReadonlyArray<Buffer>) => sounds.filter((sound) => sound.every((byte) => byte === 0)).length

describe("sound", () => {
  it.each([[640], [1024], [3200], [100_000], [2]])("in frames of %i bytes leaves in events of 32 ms", (size) => {
    const { microphone, sounds } = make()
    const whole = tone(Math.ceil(20_000 / size) * size)
    for (let i = 0; i < whole.length; i += size) assert.isTrue(microphone.take(whole.subarray(i, i + size), 0))
    assert.isTrue(sounds.every((sound) => sound.length === FRAME_BYTES))
    // no more than what does not fill an event waits
    assert.strictEqual(sounds.length, Math.floor(whole.length / FRAME_BYTES))
    assert.deepStrictEqual(Buffer.concat(sounds), Buffer.from(whole.subarray(0, sounds.length * FRAME_BYTES)))
  })

  it("is as it was brought, whatever becomes of the memory it was brought in", () => {
    const { microphone, sounds } = make()
    const memory = tone(600)
    microphone.take(memory, 0)
    memory.fill(0)
    microphone.take(tone(424, 600), 0)
    assert.deepStrictEqual(sounds, [Buffer.from(tone(1024))])
  })

  it("opens its block before it, once", () => {
    const { microphone, sent } = make()
    microphone.take(tone(2), 0)
    microphone.take(tone(2), 0)
    assert.strictEqual(sent.length, 1)
    assert.deepStrictEqual((sent[0] as any).contentStart, {
      promptName: "p",
      contentName: "mic",
      type: "AUDIO",
      interactive: true,
      role: "USER",
      audioInputConfiguration: {
        mediaType: "audio/lpcm",
        sampleRateHertz: 16_000,
        sampleSizeBits: 16,
        channelCount: 1,
        audioType: "SPEECH",
        encoding: "base64"
      }
    })
    assert.deepStrictEqual(microphone.close(), [{ contentEnd: { promptName: "p", contentName: "mic" } }])
    assert.deepStrictEqual(make().microphone.close(), [])
  })

  it("is refused whole when the line is full", () => {
    let full = true
    const { microphone, sent, sounds } = make(() => full)
    assert.isFalse(microphone.take(tone(1500), 0))
    assert.deepStrictEqual([sent, sounds], [[], []])
    full = false
    assert.isTrue(microphone.take(tone(1500), 0))
    assert.deepStrictEqual(sounds, [Buffer.from(tone(1024))])
  })
})

describe("silence", () => {
  it("goes on in real time while there is no sound", () => {
    const { microphone, sounds } = make()
    microphone.open(1000)
    let now = 1000
    while (now < 2000) now += microphone.keepAlive(now)
    assert.strictEqual(silences(sounds), sounds.length)
    assert.strictEqual(sounds.length, Math.ceil(1000 / SILENCE_MILLIS))
    assert.isTrue(sounds.every((sound) => sound.length === 3 * FRAME_BYTES))
  })

  it("begins at once", () => {
    const { microphone, sounds } = make()
    microphone.open(1000)
    assert.strictEqual(microphone.keepAlive(1000), SILENCE_MILLIS)
    assert.strictEqual(sounds.length, 1)
  })

  it("stays out of the way while there is sound, however it is framed", () => {
    for (const millis of [10, 20, 100, 1000]) {
      const { microphone, sounds } = make()
      let due = microphone.take(tone(millis * 32), 0) ? microphone.keepAlive(0) : 0
      for (let now = millis; now < 5000; now += millis) {
        // a network that is late by less than it is patient
        if (now >= due) due = now + microphone.keepAlive(now + SILENCE_AFTER_MILLIS - 1)
        microphone.take(tone(millis * 32), now)
      }
      assert.strictEqual(silences(sounds), 0, String(millis))
    }
  })

  it("makes up for the time that was left out, so that a turn ends when it ended", () => {
    const { microphone, sounds } = make()
    microphone.take(tone(FRAME_BYTES), 1000)
    assert.strictEqual(microphone.keepAlive(1000), 32 + SILENCE_AFTER_MILLIS)
    microphone.keepAlive(1000 + 32 + SILENCE_AFTER_MILLIS)
    assert.strictEqual(silences(sounds), Math.floor((32 + SILENCE_AFTER_MILLIS) / SILENCE_MILLIS))
  })

  it("completes what was left of the sound", () => {
    const { microphone, sounds } = make()
    microphone.take(tone(10), 0)
    microphone.keepAlive(1000)
    assert.deepStrictEqual(sounds[0], Buffer.concat([tone(10), new Uint8Array(FRAME_BYTES - 10)]))
  })

  it("is not made up for when the process was held up", () => {
    const { microphone, sounds } = make()
    microphone.open(0)
    microphone.keepAlive(600_000)
    assert.isAtMost(sounds.length, 1000 / SILENCE_MILLIS)
    assert.isAtMost(microphone.keepAlive(600_000), SILENCE_MILLIS)
  })

  it("is left out where the line is full", () => {
    const { microphone, sounds } = make(() => true)
    microphone.open(0)
    assert.strictEqual(microphone.keepAlive(100), SILENCE_MILLIS - 4)
    assert.strictEqual(sounds.length, 0)
  })
})
