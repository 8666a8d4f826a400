/**
 * Files in place of a sound card: a WAV file is the microphone, a WAV file records the speaker. Both run in the time of the
 * `Clock`, so under `TestClock` in no time at all.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import type { AudioDevice } from "../../../AudioDevice.ts"
import { type AudioError, deviceFailed, type Direction, invalidOption } from "../../../AudioError.ts"
import * as Wav from "../../../Wav.ts"
import type { Backend, Microphone, Request, Speaker } from "../../device/backend.ts"
import { VirtualSpeaker } from "./virtualSpeaker.ts"

export const BACKEND = "file"

// How often the recording catches up with the clock, in between what is played and asked.
const CATCH_UP = "200 millis"

const read = (path: string): Effect.Effect<Wav.Wav, AudioError> =>
  Effect.try({ try: () => readFileSync(path), catch: (error) => (error as Error).message }).pipe(
    Effect.flatMap((file) => Effect.fromResult(Wav.decode(file))),
    Effect.mapError((words) => deviceFailed("input", path, `${path}: ${words}`))
  )

const nowhere = "none"

const device = (direction: Direction, name: string, { channels, sampleRate }: Omit<Wav.Wav, "pcm">): AudioDevice => ({
  index: 0,
  name,
  description: name,
  direction,
  channels,
  sampleRate,
  isDefault: true
})

const find = (direction: Direction, wanted: number | string | undefined): Effect.Effect<AudioDevice, AudioError> => {
  if (typeof wanted === "number") {
    return Effect.fail(invalidOption(`${direction}Device`, "the file backend takes the path of a WAV file"))
  }
  return direction === "output" || wanted === undefined
    ? Effect.succeed(device(direction, wanted ?? nowhere, { channels: 1, sampleRate: 48_000 }))
    : Effect.map(read(wanted), (wav) => device(direction, wanted, wav))
}

/** Plays the file once, in real time; without a file silence for ever. */
const microphone = Effect.fnUntraced(function* (
  { name }: AudioDevice,
  request: Request,
  onSound: (pcm: Uint8Array) => void
) {
  const clock = yield* Clock.Clock
  const wav = name === nowhere ? undefined : yield* read(name)
  const format = { sampleRate: wav?.sampleRate ?? request.sampleRate, channels: wav?.channels ?? request.channels }
  const frameSize = format.channels * 2
  const length = wav === undefined ? Infinity : Math.floor(wav.pcm.length / frameSize)
  const started = clock.currentTimeMillisUnsafe()
  const play = Effect.gen(function* () {
    for (let done = 0; done < length;) {
      yield* Effect.sleep(request.frameMillis)
      const passed = Math.floor(((clock.currentTimeMillisUnsafe() - started) * format.sampleRate) / 1000)
      const due = Math.min(length, passed)
      const piece = new Uint8Array((due - done) * frameSize)
      if (wav !== undefined) piece.set(wav.pcm.subarray(done * frameSize, due * frameSize))
      if (piece.length > 0) onSound(piece)
      done = due
    }
  })
  return { format, done: play, lost: () => 0 } satisfies Microphone
})

/** Records what is heard, silence included, until it is closed. */
const speaker = Effect.fnUntraced(function* ({ name }: AudioDevice, request: Request) {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  let size = 0
  let failure: AudioError | undefined
  const failed = (error: unknown) => deviceFailed("output", name, (error as Error).message)

  const file =
    name === nowhere
      ? undefined
      : yield* Effect.acquireRelease(
          Effect.try({
            try: () => {
              const file = openSync(name, "w")
              writeSync(file, Wav.header(request, 0))
              return file
            },
            catch: failed
          }),
          (file) =>
            Effect.sync(() => {
              tape.advance(now())
              writeSync(file, Wav.header(request, size), 0, Wav.headerSize, 0)
              closeSync(file)
            })
        )
  const tape = new VirtualSpeaker(request, now(), (pcm) => {
    if (file === undefined || failure !== undefined) return
    try {
      writeSync(file, pcm)
      size += pcm.length
    } catch (error) {
      failure = failed(error) // a full disk
    }
  })
  const turn = Effect.gen(function* () {
    while (failure === undefined) {
      yield* Effect.sleep(CATCH_UP)
      tape.advance(now())
    }
    return yield* failure
  })
  return {
    format: request,
    write: (pcm) => tape.write(pcm, now()),
    position: () => tape.position(now()),
    cut: Effect.sync(() => tape.cut(now())),
    done: turn
  } satisfies Speaker
})

export const backend: Backend = {
  name: BACKEND,
  devices: Effect.succeed([]),
  find,
  microphone,
  speaker
}
