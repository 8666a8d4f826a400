/**
 * The events of a conversation as spans and metrics: one trace a turn. Runs in the stack of whoever emits an event, and takes
 * its times from the events.
 *
 * A turn begins with what the user says or types, or with a reply that nobody asked for, and is over when the last thing of
 * it happened: a reply was heard to its end, a tool ended, or it was interrupted. It is told when the next one begins. The
 * speech that interrupts begins the next turn. Tools stand beside the replies, so that their time is none of the model's.
 */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Output, OutputOf } from "../../BidiEvent.ts"
import type { Metrics } from "./metrics.ts"
import * as Names from "./names.ts"

export interface Told {
  readonly agent: string
  readonly sessionId: string
  readonly provider: string
  readonly model: string
  readonly content: boolean
}

interface Reply {
  readonly span: Tracer.Span | undefined
  readonly at: number
  /** When it was complete; its span waits for what it used. */
  end: number | undefined
  sounded: boolean
}

interface Turn {
  readonly span: Tracer.Span | undefined
  readonly at: number
  readonly replies: Map<string, Reply>
  readonly tools: Map<string, { readonly span: Tracer.Span | undefined; readonly at: number; readonly name: string }>
  speech: Tracer.Span | undefined
  /** When the last thing of it happened. */
  last: number
}

export class Turns {
  private readonly told: Told
  private readonly metrics: Metrics
  private readonly tracer: Tracer.Tracer | undefined
  private turn: Turn | undefined
  private before: Turn | undefined // the turn before it, which may be interrupted yet
  private connectionId = ""
  private restart: { readonly span: Tracer.Span | undefined } | undefined
  private asked: number | undefined // the user has finished, and has heard nothing since
  private speaking: number | undefined
  /** The next frame of sound is of interest. */
  awaitsSound = false

  /** Without a tracer there are metrics only. */
  constructor(told: Told, metrics: Metrics, tracer: Tracer.Tracer | undefined) {
    this.told = told
    this.metrics = metrics
    this.tracer = tracer
  }

  take(event: Output): void {
    switch (event._tag) {
      case "ConnectionStart":
        return this.connected(event)
      case "ConnectionRestart":
        return this.restarting(event)
      case "ConnectionClose": {
        this.begun(undefined)
        if (this.before !== undefined && !isOver(this.before)) this.end(this.before, "session_closed", event.at)
        this.begun(undefined)
        this.restart?.span?.end(nanos(event.at), Exit.void)
        return
      }
      case "UserSpeech":
        return event.phase === "started" ? this.speechStarted(event.at) : this.speechStopped(event.at)
      case "MessageAdded": {
        if (event.entry._tag !== "User" || event.isUpdate) return
        // a turn that was spoken has begun already
        if (this.speaking === undefined && this.asked === undefined) this.begin(event.at)
        this.asked ??= event.at
        return
      }
      case "TranscriptStream": {
        if (!this.told.content || !event.isFinal || event.preview === true) return
        const { currentTranscript: content, responseId, role } = event
        const message = JSON.stringify([{ role, parts: [{ type: "text", content }] }])
        if (role === "user") this.turn?.span?.attribute(Names.INPUT_MESSAGES, message)
        else this.of(responseId)?.replies.get(responseId!)?.span?.attribute(Names.OUTPUT_MESSAGES, message)
        return
      }
      case "ResponseStart":
        return this.replyStarted(event)
      case "AudioStream":
        return this.sounds(event)
      case "ResponseComplete":
        return this.replied(event)
      case "Playback": {
        const turn = this.of(event.responseId)
        if (event.phase === "ended" && turn !== undefined) turn.last = event.at
        return
      }
      case "Interruption":
        return this.interrupted(event)
      case "ToolUse":
        return this.toolStarted(event)
      case "ToolResult":
        return this.toolEnded(event)
      case "Usage": {
        this.metrics.used(event)
        const reply = this.of(event.responseId)?.replies.get(event.responseId!)
        if (reply?.span === undefined) return
        for (const [name, value] of Object.entries(Names.usage(event))) reply.span.attribute(name, value)
        return
      }
      default:
        return
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // turns
  // -------------------------------------------------------------------------------------------------------------------

  private begin(at: number): Turn {
    const { agent } = this.told
    const turn: Turn = {
      span: this.span(`invoke_agent ${agent}`, "internal", at, undefined, { [Names.OPERATION]: "invoke_agent" }),
      at,
      replies: new Map(),
      tools: new Map(),
      speech: undefined,
      last: at
    }
    this.begun(turn)
    return turn
  }

  private begun(turn: Turn | undefined): void {
    if (this.before !== undefined) this.end(this.before, "completed", this.before.last)
    this.before = this.turn
    this.turn = turn
  }

  private end(turn: Turn, reason: "completed" | "interrupted" | "session_closed", at: number): void {
    if (this.turn === turn) this.turn = undefined
    if (this.before === turn) this.before = undefined
    turn.speech?.end(nanos(at), Exit.void)
    for (const { end: complete, span } of turn.replies.values()) span?.end(nanos(complete ?? at), Exit.void)
    // a call that goes on is told with the turn it belongs to
    for (const { span } of turn.tools.values()) span?.end(nanos(at), Exit.void)
    turn.span?.attribute(Names.END_REASON, reason)
    turn.span?.end(nanos(at), Exit.void)
    this.metrics.turn(at - turn.at)
  }

  private of(responseId: string | undefined): Turn | undefined {
    if (responseId === undefined) return undefined
    return [this.turn, this.before].find((turn) => turn?.replies.has(responseId) === true)
  }

  private speechStarted(at: number): void {
    this.speaking = at
    this.asked = undefined
    const { turn } = this
    // what is said over a reply begins the next turn; what is said before one belongs to this
    const now = turn === undefined || turn.replies.size > 0 ? this.begin(at) : turn
    now.speech ??= this.span("user_speech", "internal", at, now, {})
  }

  private speechStopped(at: number): void {
    this.speaking = undefined
    this.asked = at
    const { turn } = this
    if (turn === undefined) return
    turn.last = at
    turn.speech?.end(nanos(at), Exit.void)
    turn.speech = undefined
  }

  private interrupted({ at, heard, reason, responseId }: OutputOf<"Interruption">): void {
    if (reason === "user_speech" && this.speaking !== undefined) this.metrics.silenced(at - this.speaking)
    const turn = this.of(responseId)
    if (turn === undefined) return
    turn.span?.event(Names.INTERRUPTION, nanos(at), { reason, heard: Number(heard.value) })
    this.end(turn, "interrupted", at)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // replies
  // -------------------------------------------------------------------------------------------------------------------

  private replyStarted({ at, responseId }: OutputOf<"ResponseStart">): void {
    const turn = this.turn ?? this.begin(at)
    this.awaitsSound = true
    const span = this.span(`realtime_inference ${this.told.model}`, "client", at, turn, {
      [Names.OPERATION]: "realtime_inference",
      [Names.RESPONSE]: responseId,
      [Names.OUTPUT_TYPE]: "speech"
    })
    turn.replies.set(responseId, { span, at, end: undefined, sounded: false })
  }

  private sounds({ at, responseId }: OutputOf<"AudioStream">): void {
    this.awaitsSound = false
    const reply = this.of(responseId)?.replies.get(responseId)
    if (reply === undefined || reply.sounded) return
    reply.sounded = true
    reply.span?.event(Names.FIRST_AUDIO, nanos(at))
    if (this.asked !== undefined) this.metrics.heard(at - this.asked)
    this.asked = undefined
  }

  private replied({ at, detail, responseId, stopReason }: OutputOf<"ResponseComplete">): void {
    const turn = this.of(responseId)
    const reply = turn?.replies.get(responseId)
    if (turn === undefined || reply === undefined) return
    reply.end = at
    reply.span?.attribute(Names.FINISH_REASONS, [detail ?? stopReason])
    if (stopReason === "error") reply.span?.attribute(Names.ERROR, "error")
    this.metrics.replied(at - reply.at)
    turn.last = at
  }

  private toolStarted({ at, id, input, name }: OutputOf<"ToolUse">): void {
    const turn = this.turn ?? this.begin(at)
    const span = this.span(`execute_tool ${name}`, "internal", at, turn, {
      [Names.OPERATION]: "execute_tool",
      [Names.TOOL]: name,
      [Names.TOOL_CALL]: id,
      [Names.TOOL_TYPE]: "function",
      ...(this.told.content ? { [Names.TOOL_ARGUMENTS]: JSON.stringify(input) } : {})
    })
    turn.tools.set(id, { span, at, name })
  }

  private toolEnded({ at, id, isFailure, name, result }: OutputOf<"ToolResult">): void {
    const turn = [this.turn, this.before].find((turn) => turn?.tools.has(id) === true)
    const call = turn?.tools.get(id)
    if (turn === undefined || call === undefined) return
    turn.tools.delete(id)
    if (this.told.content) call.span?.attribute(Names.TOOL_RESULT, JSON.stringify(result))
    if (isFailure) call.span?.attribute(Names.ERROR, "tool_error")
    call.span?.end(nanos(at), isFailure ? Exit.die("the tool failed") : Exit.void)
    this.metrics.tool(name, at - call.at, isFailure)
    turn.last = at
  }

  // -------------------------------------------------------------------------------------------------------------------
  // connections
  // -------------------------------------------------------------------------------------------------------------------

  private connected({ at, connectionId }: OutputOf<"ConnectionStart">): void {
    this.connectionId = connectionId
    const { restart } = this
    this.restart = undefined
    if (restart === undefined) return
    restart.span?.attribute(Names.CONNECTION, connectionId)
    restart.span?.end(nanos(at), Exit.void)
  }

  private restarting({ at, attempt, cause, reason, turnInterrupted }: OutputOf<"ConnectionRestart">): void {
    if (this.restart !== undefined) {
      this.restart.span?.attribute(Names.RESTART_ATTEMPT, attempt)
      return
    }
    const span = this.span("bidi.restart", "internal", at, this.turn, {
      [Names.RESTART_REASON]: reason,
      [Names.RESTART_ATTEMPT]: attempt,
      [Names.RESTART_IN_TURN]: turnInterrupted,
      ...(cause === undefined ? {} : { [Names.ERROR]: cause.reason._tag })
    })
    this.restart = { span }
  }

  private span(
    name: string,
    kind: Tracer.SpanKind,
    at: number,
    parent: Turn | undefined,
    attributes: Readonly<Record<string, unknown>>
  ): Tracer.Span | undefined {
    if (this.tracer === undefined) return undefined
    const span = this.tracer.span({
      name,
      kind,
      startTime: nanos(at),
      parent: Option.fromUndefinedOr(parent?.span),
      annotations: Context.empty(),
      links: [],
      root: parent?.span === undefined,
      sampled: true
    })
    const { agent, model, provider, sessionId } = this.told
    span.attribute(Names.PROVIDER, provider)
    span.attribute(Names.MODEL, model)
    span.attribute(Names.AGENT, agent)
    span.attribute(Names.CONVERSATION, sessionId)
    span.attribute(Names.SESSION, sessionId)
    span.attribute(Names.CONNECTION, this.connectionId)
    for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
    return span
  }
}

// Nothing of it is still to come.
const isOver = ({ replies, speech, tools }: Turn): boolean =>
  replies.size > 0 &&
  speech === undefined &&
  tools.size === 0 &&
  Array.from(replies.values()).every(({ end }) => end !== undefined)

const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1000)) * 1000n
