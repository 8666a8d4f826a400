/**
 * The user's audio on its way to the model, which does not always take it.
 */
import { AudioBacklog, BACKLOG_SECONDS } from "./audioBacklog.ts"
import type { ClientMessage, Events, State } from "./state.ts"
import type { Line } from "./transport.ts"

/** A class, because every frame of audio passes it (see `WebSocketLine`). */
export class Microphone {
  private readonly line: Line
  private readonly state: State
  private readonly backlog: AudioBacklog
  private lost = false

  constructor(line: Line, state: State) {
    this.line = line
    this.state = state
    this.backlog = new AudioBacklog(state.session.second)
  }

  /** Whether what comes now has to wait: the model takes no audio, or earlier audio waits. */
  get mustWait(): boolean {
    return this.isBlocked || !this.backlog.isEmpty
  }

  /** Takes a frame; `false` when the line is congested or gone. */
  take(frame: Uint8Array): boolean {
    if (!this.mustWait) return this.pass(frame)
    if (!this.line.isOpen) return false
    this.release()
    if (!this.mustWait) return this.pass(frame)
    if (this.backlog.audio(frame)) this.lost = true
    return true
  }

  /** Takes messages that belong between the frames. */
  signals(messages: ReadonlyArray<ClientMessage>): void {
    this.backlog.signals(messages)
  }

  /** Sends what waits as soon as the model takes it, and tells of audio that was lost meanwhile. */
  release(events?: Events): void {
    if (this.lost && events !== undefined) {
      this.lost = false
      events.push({ _tag: "Problem", error: this.state.errors.unheard(BACKLOG_SECONDS) })
    }
    if (this.backlog.isEmpty || this.isBlocked) return
    this.backlog.release({ audio: (frame) => this.pass(frame), post: (message) => this.line.post(message) })
  }

  private get isBlocked(): boolean {
    return this.state.session.rejectsAudioWhileBlocked && this.state.calls.size > 0
  }

  private pass(frame: Uint8Array): boolean {
    if (!this.line.audio(frame)) return false
    this.state.heard = true
    this.state.since += frame.length
    return true
  }
}
