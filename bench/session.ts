/**
 * One session of the server. Once it is configured it speaks in replies of ten seconds, one right after the other.
 */
import type { WebSocket } from "ws"
import * as Frame from "./frame.ts"

const FRAMES_PER_REPLY = 10 * Frame.FRAMES_PER_SECOND
// a reply that is audible by now
const FRAMES_AUDIBLE = 3
const FRAMES_PER_WORD = Frame.FRAMES_PER_SECOND / 5

const BEHIND = 1024 * 1024 // bytes: some seconds

const AUDIO = Buffer.from('"audio":"')
const APPEND = Buffer.from("input_audio_buffer.append")
const LONGEST_HEADER = 64

const model = "gpt-realtime-2.1"
const usage = {
  total_tokens: 240,
  input_tokens: 120,
  output_tokens: 120,
  input_token_details: { text_tokens: 20, audio_tokens: 100, cached_tokens: 0 },
  output_token_details: { text_tokens: 20, audio_tokens: 100 }
}

let count = 0

export class Session {
  private readonly socket: WebSocket
  private readonly late: (millis: number) => void
  private readonly id = `sess_${++count}`
  private events = 0
  private replies = 0
  private frame = 0
  private spoken = ""
  private sequence = 0
  // replies of different sessions begin at different times
  private length = 1 + (count % FRAMES_PER_REPLY)
  onReady = () => {}
  sent = 0
  readonly receipt = new Frame.Receipt()

  /** `late` hears how long each frame of the user took. */
  constructor(socket: WebSocket, late: (millis: number) => void) {
    this.socket = socket
    this.late = late
    socket.on("message", (data) => this.hear(data as Buffer))
    this.send({
      type: "session.created",
      session: { id: this.id, object: "realtime.session", type: "realtime", model }
    })
  }

  reset(): void {
    this.sent = 0
    this.receipt.reset()
  }

  /** Says the next 20 ms. */
  tick(): void {
    if (this.frame === 0) this.begin()
    this.sent++
    // whoever cannot keep up misses something, which is counted where it is missed; the server keeps its own pace
    if (this.socket.bufferedAmount > BEHIND) this.sequence++
    else
      this.socket.send(
        `{"type":"response.output_audio.delta","event_id":"${this.eventId()}","response_id":"${this.responseId}",` +
          `"item_id":"${this.itemId}","output_index":0,"content_index":0,"delta":"${Frame.base64(this.sequence++)}"}`
      )
    this.frame++
    if (this.frame % FRAMES_PER_WORD === 0) this.word(` word${this.frame / FRAMES_PER_WORD}`)
    if (this.frame === this.length) this.finish("completed")
  }

  /** The user speaks into the reply, which is cut off. Answers when that was sent, if there was a reply to cut. */
  interrupt(): number | undefined {
    if (this.frame < FRAMES_AUDIBLE) return undefined
    const itemId = `user_${this.responseId}`
    const at = Frame.now()
    this.send({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: itemId })
    this.finish("cancelled")
    this.send({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 20, item_id: itemId })
    this.send({ type: "input_audio_buffer.committed", previous_item_id: null, item_id: itemId })
    return at
  }

  private hear(data: Buffer): void {
    const header = data.subarray(0, LONGEST_HEADER)
    const audio = header.indexOf(AUDIO)
    if (audio === -1 || !header.includes(APPEND)) return this.obey(JSON.parse(data.toString()))
    this.late(this.receipt.take(Frame.stampOf(data, audio + AUDIO.length)))
  }

  private obey(event: { readonly type: string; readonly [key: string]: unknown }): void {
    switch (event.type) {
      case "session.update":
        this.send({
          type: "session.updated",
          session: { ...(event.session as object), id: this.id, object: "realtime.session", model }
        })
        return this.onReady()
      case "conversation.item.truncate":
        return this.send({ ...event, type: "conversation.item.truncated" })
      case "conversation.item.create":
        return this.send({ type: "conversation.item.done", previous_item_id: null, item: event.item })
    }
  }

  private begin(): void {
    this.replies++
    this.spoken = ""
    this.send({
      type: "response.created",
      response: { object: "realtime.response", id: this.responseId, status: "in_progress", output: [] }
    })
    this.send({
      type: "response.output_item.added",
      response_id: this.responseId,
      output_index: 0,
      item: { id: this.itemId, type: "message", status: "in_progress", role: "assistant", content: [] }
    })
  }

  private word(delta: string): void {
    this.spoken += delta
    this.send({ type: "response.output_audio_transcript.delta", ...this.place(), delta })
  }

  private finish(status: "completed" | "cancelled"): void {
    const content = [{ type: "output_audio", transcript: this.spoken }]
    const itemStatus = status === "completed" ? "completed" : "incomplete"
    const item = { id: this.itemId, type: "message", status: itemStatus, role: "assistant", content }
    const details = status === "completed" ? null : { type: "cancelled", reason: "turn_detected" }
    this.send({ type: "response.output_audio.done", ...this.place() })
    this.send({ type: "response.output_audio_transcript.done", ...this.place(), transcript: this.spoken })
    this.send({ type: "response.output_item.done", response_id: this.responseId, output_index: 0, item })
    this.send({
      type: "response.done",
      response: {
        object: "realtime.response",
        id: this.responseId,
        status,
        status_details: details,
        output: [item],
        usage
      }
    })
    this.frame = 0
    this.length = FRAMES_PER_REPLY
  }

  private place() {
    return { response_id: this.responseId, item_id: this.itemId, output_index: 0, content_index: 0 }
  }

  private get responseId(): string {
    return `resp_${this.id}_${this.replies}`
  }

  private get itemId(): string {
    return `item_${this.id}_${this.replies}`
  }

  private eventId(): string {
    return `event_${this.id}_${++this.events}`
  }

  private send(event: object): void {
    this.socket.send(JSON.stringify({ event_id: this.eventId(), ...event }))
  }
}
