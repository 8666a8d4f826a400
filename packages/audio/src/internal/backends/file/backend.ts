/**
 * Files in place of a sound card: one WAV file is the microphone, another records the speaker. Both follow the `Clock`, so
 * `TestClock` controls them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"
import type { AudioDevice } from "../../../AudioDevice.ts"
import type { AudioError, Direction } from "../../../AudioError.ts"
import { deviceFailed, invalidOption } from "../../errors.ts"
import * as Wav from "../../../Wav.ts"
import type { Backend, Microphone, Request, Speaker } from "../backend.ts"
import { VirtualSpeaker } from "./virtualSpeaker.ts"

export const BACKEND = "file"

// How often the recording catches up with the clock while nothing is played or asked for.
const CATCH_UP_INTERVAL = "200 millis"

const read = (path: string): Effect.Effect<Wav.Wav, AudioError> =>
  Effect.try({ try: () => readFileSync(path), catch: (error) => (error as Error).message }).pipe(
    Effect.flatMap((file) => Effect.fromResult(Wav.decode(file))),
    Effect.mapError((reason) => deviceFailed("input", path, `cannot read ${path}: ${reason}`))
  )

/** The name of a device without a file. */
const NO_FILE = "none"

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
    return Effect.fail(
      invalidOption(`${direction}Device`, "expected the path of a WAV file, because the backend is file; got an index")
    )
  }
  return direction === "output" || wanted === undefined
    ? Effect.succeed(device(direction, wanted ?? NO_FILE, { channels: 1, sampleRate: 48_000 }))
    : Effect.map(read(wanted), (wav) => device(direction, wanted, wav))
}

/** Plays the file once, in real time. Without a file it delivers silence without end. */
const microphone = Effect.fnUntraced(function* (
  { name }: AudioDevice,
  request: Request,
  onAudio: (pcm: Uint8Array) => void
) {
  const clock = yield* Clock.Clock
  const wav = name === NO_FILE ? undefined : yield* read(name)
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
      if (piece.length > 0) onAudio(piece)
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
  const failed = (error: unknown) => deviceFailed("output", name, `cannot write ${name}: ${(error as Error).message}`)

  const file =
    name === NO_FILE
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
              virtual.advance(now())
              const header = Wav.header(request, size)
              writeSync(file, header, 0, header.length, 0)
              closeSync(file)
            })
        )
  const virtual = new VirtualSpeaker(request, now(), (pcm) => {
    if (file === undefined || failure !== undefined) return
    try {
      writeSync(file, pcm)
      size += pcm.length
    } catch (error) {
      failure = failed(error) // a full disk
    }
  })
  const record = Effect.gen(function* () {
    while (failure === undefined) {
      yield* Effect.sleep(CATCH_UP_INTERVAL)
      virtual.advance(now())
    }
    return yield* failure
  })
  return {
    format: request,
    write: (pcm) => virtual.write(pcm, now()),
    position: () => virtual.position(now()),
    cut: Effect.sync(() => virtual.cut(now())),
    done: record
  } satisfies Speaker
})

export const backend: Backend = {
  name: BACKEND,
  devices: Effect.succeed([]),
  find,
  microphone,
  speaker
}
