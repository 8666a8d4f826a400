/**
 * The agent's speech on its way to the device: decoded, resampled, and queued until it has been heard. The queue outlives a
 * device that is lost and goes on with the next one. A class, because every frame passes it.
 */
import * as Audio from "@effect-bidi/core/Audio"
import type { AudioStream } from "@effect-bidi/core/BidiEvent"
import * as Effect from "effect/Effect"
import { EchoReference } from "./echoReference.ts"
import type { Pcm, Speaker } from "../backends/backend.ts"
import type { Playback } from "../session/deviceSession.ts"
import * as Codec from "../signal/codec.ts"
import type { Resampler } from "../signal/resampler.ts"
import { mix } from "../signal/samples.ts"
import type { PlaybackQueue } from "./queue.ts"

/** What waits, in the format of a device. */
export interface DeviceQueue {
  readonly format: Pcm
  readonly resampler: Resampler
  readonly chunks: PlaybackQueue
}

interface Options {
  /** The format of the model. */
  readonly format: Audio.AudioFormat
  /** How much may wait, in samples of the model. */
  readonly capacity: number
  /** Called for each frame, with its length in samples and whether there was room for it. */
  readonly onFrame: (samples: number, accepted: boolean) => void
  readonly onDefect: (defect: unknown) => void
  readonly log: ((message: string) => void) | undefined
}

export class Player implements Playback {
  private readonly options: Options
  private readonly decode: (audio: Uint8Array) => Uint8Array
  private readonly frameSize: number
  private readonly wholeSamples: Audio.WholeSamples // of the current item
  private currentItem: string | undefined
  private device: Speaker | undefined
  private queue: DeviceQueue | undefined
  private echoReference: EchoReference
  private held: Array<AudioStream> | undefined // frames that arrive while the device is being silenced
  private paused = false

  constructor(options: Options) {
    this.options = options
    this.decode = Codec.decoder(options.format)
    this.frameSize = Audio.frameSize(options.format)
    this.wholeSamples = new Audio.WholeSamples(options.format)
    this.echoReference = new EchoReference(options.format.sampleRate)
  }

  /** Whether the queue is in this format, and can be continued on a device with it. */
  fits({ channels, sampleRate }: Pcm): boolean {
    return this.queue?.format.sampleRate === sampleRate && this.queue.format.channels === channels
  }

  /** A device is open. It continues with the queue; `queue` replaces that if the format has changed. */
  attach(device: Speaker, queue: DeviceQueue | undefined): void {
    if (queue !== undefined) this.queue = queue
    this.device = device
    this.echoReference = new EchoReference(device.format.sampleRate)
    this.continue()
  }

  /** The device is lost. What it has not played waits for the next one. */
  detach(): void {
    if (!this.paused) this.queue?.chunks.resume(this.position())
    this.device = undefined
  }

  play(frame: AudioStream): void {
    if (this.held !== undefined) return void this.held.push(frame)
    try {
      this.enqueue(frame)
    } catch (defect) {
      this.options.onDefect(defect)
    }
  }

  private enqueue(frame: AudioStream): void {
    const { device, paused, options, queue } = this
    if (queue === undefined) return
    const first = frame.itemId !== this.currentItem
    if (first) {
      this.currentItem = frame.itemId
      this.wholeSamples.clear()
    }
    const audio = this.wholeSamples.push(frame.audio)
    if (audio.length === 0) return
    const length = audio.length / this.frameSize
    const waiting = queue.chunks.waiting(this.position())
    const accepted = waiting + length <= options.capacity
    options.onFrame(length, accepted)
    if (!accepted)
      return options.log?.(`speaker: overrun, ${this.seconds(length)} of speech did not fit into its buffer`)
    if (!first && waiting === 0 && !paused) options.log?.("speaker: underrun, it has played all it had")
    const pcm = mix(queue.resampler.push(this.decode(audio)), 1, queue.format.channels)
    queue.chunks.add(pcm, length)
    if (device !== undefined && !paused && pcm.length > 0) device.write(pcm)
  }

  /** Silences the device at once, and drops what was not heard. */
  readonly flush: Effect.Effect<void> = Effect.suspend(() =>
    this.silence((chunks, reached) => {
      this.options.log?.(`speaker: flushed, ${this.seconds(chunks.waiting(reached))} of speech dropped`)
      chunks.cut(reached)
      this.queue!.resampler.clear()
      this.wholeSamples.clear()
    })
  )

  /** Silences the device at once, and keeps what was not heard. */
  readonly pause: Effect.Effect<void> = Effect.suspend(() =>
    this.paused
      ? Effect.void
      : Effect.map(
          this.silence((chunks, reached) => chunks.resume(reached)),
          () => {
            this.paused = true
            this.options.log?.("speaker: paused")
          }
        )
  )

  readonly resume: Effect.Effect<void> = Effect.sync(() => {
    if (!this.paused) return
    this.paused = false
    this.options.log?.("speaker: resumed")
    this.continue()
  })

  private readonly silence = Effect.fnUntraced(
    { self: this },
    function* (keep: (chunks: PlaybackQueue, reached: number) => void) {
      if (this.queue === undefined) return
      this.held = []
      const reached = this.device === undefined || this.paused ? 0 : yield* this.device.cut
      keep(this.queue.chunks, reached)
      this.echoReference.clear()
      const held = this.held
      this.held = undefined
      for (const frame of held) this.play(frame)
    }
  )

  private continue(): void {
    const { device, paused, queue } = this
    if (device === undefined || queue === undefined || paused) return
    for (const pcm of queue.chunks.resume(0)) device.write(pcm)
  }

  private position(): number {
    return this.device?.position() ?? 0
  }

  /** How much was heard in all, in milliseconds. */
  played(): number {
    return ((this.queue?.chunks.played(this.position()) ?? 0) * 1000) / this.options.format.sampleRate
  }

  readonly audible = (): boolean => !this.paused && (this.queue?.chunks.waiting(this.position()) ?? 0) > 0

  readonly reference = (millis: number): { readonly pcm: Uint8Array; readonly sampleRate: number } => {
    const { queue } = this
    const sampleRate = queue?.format.sampleRate ?? this.options.format.sampleRate
    const length = Math.round((millis * sampleRate) / 1000)
    const pcm = new Uint8Array(length * 2)
    if (queue === undefined || !this.audible()) {
      this.echoReference.clear()
      return { pcm, sampleRate }
    }
    const from = this.echoReference.next(this.position(), length)
    pcm.set(mix(queue.chunks.from(from, length), queue.format.channels, 1))
    return { pcm, sampleRate }
  }

  readonly recent = (): Uint8Array => {
    const { queue } = this
    if (queue === undefined || !this.audible()) return new Uint8Array(0)
    const tenth = queue.format.sampleRate / 10
    return queue.chunks.from(Math.max(0, this.position() - tenth), tenth)
  }

  private seconds(samples: number): string {
    return `${(samples / this.options.format.sampleRate).toFixed(2)} s`
  }
}
