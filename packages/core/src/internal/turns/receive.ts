/**
 * What the model says, turned into what the conversation does. Runs in the stack of whoever brings an event: strictly
 * in order, and nothing waits between socket and decision.
 */
import * as Effect from "effect/Effect"
import * as Audio from "../../Audio.ts"
import { fromError } from "../../BidiEvent.ts"
import type { ModelEvent } from "../../BidiModel.ts"
import type { BargeIn } from "./interruptionPolicy.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Gaps } from "../connection/metrics.ts"
import type { Interrupter } from "./interruption.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { Rooms } from "../conversation/services.ts"
import type { Tools } from "../tools/tools.ts"
import type { Turn } from "./turnState.ts"

export class Receiver {
  private readonly rooms: Rooms
  private readonly interrupter: Interrupter
  private readonly bargeIn: BargeIn
  private readonly tools: Tools
  // what a frame of audio passes is within reach: at hundreds of sessions, every object on the way is out of the cache
  private readonly format: Audio.AudioFormat
  private readonly turn: Turn
  private readonly gaps: Gaps
  private readonly ledger: Ledger
  private readonly fanout: Fanout
  private readonly samples: Audio.WholeSamples // of the item that sounds; pieces of it may end within one
  private sounding: string | undefined

  constructor(rooms: Rooms, interrupter: Interrupter, bargeIn: BargeIn, tools: Tools) {
    this.rooms = rooms
    this.interrupter = interrupter
    this.bargeIn = bargeIn
    this.tools = tools
    this.format = rooms.model.output
    this.samples = new Audio.WholeSamples(rooms.model.output)
    this.turn = rooms.turn
    this.gaps = rooms.gaps
    this.ledger = rooms.ledger
    this.fanout = rooms.fanout
  }

  /** Handles one event. An effect comes back only when there is something to wait for. */
  receive(event: ModelEvent): Effect.Effect<void> | undefined {
    if (event._tag === "AudioDelta") return this.sound(event)
    // who waits for something is told when all of it has been handled
    this.turn.hold()
    try {
      return this.take(event)
    } finally {
      this.turn.release()
    }
  }

  private sound(event: Extract<ModelEvent, { readonly _tag: "AudioDelta" }>): undefined {
    if (!this.open(event.responseId)) return this.late(event.itemId, event.audio)
    const { itemId } = event
    if (itemId !== this.sounding) {
      this.sounding = itemId
      this.samples.clear()
    }
    const audio = this.samples.push(event.audio)
    if (audio.length === 0) return
    this.gaps.audio()
    this.ledger.append(event.responseId, itemId, Audio.millis(this.format, audio.length))
    this.fanout.emit({
      _tag: "AudioStream",
      responseId: event.responseId,
      itemId,
      audio,
      format: this.format.format,
      sampleRate: this.format.sampleRate,
      channels: this.format.channels
    })
  }

  private take(event: Exclude<ModelEvent, { readonly _tag: "AudioDelta" }>): Effect.Effect<void> | undefined {
    switch (event._tag) {
      case "TranscriptDelta": {
        if (event.responseId === undefined || this.open(event.responseId)) this.rooms.words.delta(event)
        else this.rooms.words.late(event)
        return
      }
      case "TranscriptDone": {
        if (event.role === "user") this.rooms.outbox.answered()
        if (event.responseId === undefined || this.open(event.responseId)) this.rooms.words.done(event)
        else this.rooms.words.late(event)
        this.turn.changed()
        return
      }
      case "Reasoning": {
        const { delta, responseId } = event
        if (this.open(responseId) && this.fanout.wants("Reasoning")) {
          this.fanout.emit({ _tag: "Reasoning", responseId, delta })
        }
        return
      }
      case "TranscriptFailed": {
        this.rooms.words.failed(event.itemId)
        this.turn.changed()
        this.fanout.emit(fromError(event.error))
        return
      }
      case "ResponseStarted": {
        if (this.turn.stage(event.responseId) === undefined) this.start(event.responseId, event.more)
        return
      }
      case "ResponseDone": {
        if (!this.open(event.responseId)) return
        // cut off by the provider itself, which says no more of it
        if (event.stopReason === "interrupted") return this.cutOff(event.responseId)
        this.complete(event.responseId, event.stopReason, event.detail)
        if (event.error !== undefined) this.fanout.emit(fromError(event.error))
        return
      }
      case "NoResponse": {
        this.rooms.protection.lift()
        this.turn.noReply()
        this.fanout.emit(fromError(event.error))
        return
      }
      case "UserTurn": {
        this.rooms.words.userTurn(event.itemId)
        this.rooms.outbox.committed()
        this.turn.userTurn(event.itemId, event.respond)
        return this.bargeIn.userTurn(event.interrupts === true)
      }
      case "SpeechStarted": {
        this.turn.userSpeaks(true)
        this.fanout.emit({ _tag: "UserSpeech", phase: "started" })
        return this.bargeIn.speechStarted(event.interrupts !== false)
      }
      case "SpeechStopped": {
        this.turn.userSpeaks(false)
        this.fanout.emit({ _tag: "UserSpeech", phase: "stopped" })
        this.bargeIn.speechStopped()
        return
      }
      case "Interrupted": {
        this.turn.questions.meant()
        this.turn.cutShort(event.responseId)
        return this.cutOff(event.responseId)
      }
      case "Refused": {
        this.rooms.words.refused(event.id)
        this.turn.questions.settle(event.id)
        this.problem(event)
        return
      }
      case "ToolCalls": {
        // also for a reply that was cut off: a call wants an answer
        this.open(event.responseId)
        this.tools.call(event)
        return
      }
      case "ToolCallsCancelled": {
        this.tools.cancel(event.ids)
        return
      }
      case "Usage": {
        this.fanout.emit(event)
        return
      }
      case "Problem": {
        this.problem(event)
        return
      }
      case "Unknown": {
        if (!this.fanout.wants("Unknown")) return
        const { raw, type } = event
        this.fanout.emit({ _tag: "Unknown", provider: this.rooms.model.provider, type, raw })
        return
      }
      case "Expiring":
      case "Resumable":
        return
    }
  }

  /**
   * The connection is gone: what it was in the middle of will not be finished. Answers whether that was in the middle of a
   * turn. Nobody is told of anything before it is known what is owed.
   */
  abandon(): { readonly turnInterrupted: boolean } {
    const { gaps, generation, protection, turn, words } = this.rooms
    const { active, inTurn } = turn
    generation.gone = generation.current
    turn.hold()
    if (active !== undefined) {
      this.tellCompletion(active, "error")
      words.lost(active)
    }
    turn.abandoned()
    protection.abandoned(active)
    this.bargeIn.abandoned()
    words.abandoned()
    gaps.lost(turn.owed?.what === "rest")
    turn.release()
    return { turnInterrupted: inTurn }
  }

  // A function of its own: it is not on the way of a frame that is heard.
  private late(itemId: string, audio: Uint8Array): undefined {
    this.rooms.words.lateAudio(itemId, Audio.millis(this.format, audio.length))
  }

  // A provider may repeat itself, or say things in the wrong order; nobody behind this line shall notice.
  private open(responseId: string): boolean {
    if (responseId === this.turn.active) return true
    const stage = this.turn.stage(responseId)
    if (stage === undefined) this.start(responseId)
    return stage === undefined || stage === "active"
  }

  private start(responseId: string, more = false): void {
    const { outbox, protection, words } = this.rooms
    if (this.turn.active !== undefined) this.complete(this.turn.active, "error")
    protection.started(responseId, more)
    this.turn.started(responseId, more)
    outbox.answered()
    words.answered()
    this.fanout.emit({ _tag: "ResponseStart", responseId })
  }

  private problem({
    details,
    error
  }: Pick<Extract<ModelEvent, { readonly _tag: "Problem" }>, "error" | "details">): void {
    this.fanout.emit({ ...fromError(error), ...(details === undefined ? {} : { details }) })
  }

  private cutOff(responseId: string): Effect.Effect<void> | undefined {
    if (!this.rooms.protection.covers(responseId)) return Effect.asVoid(this.interrupter.interrupt("user_speech"))
    // what there is of it is heard all the same
    if (this.turn.active === responseId) this.complete(responseId, "interrupted")
    return undefined
  }

  private complete(
    responseId: string,
    stopReason: "complete" | "interrupted" | "tool_use" | "error",
    detail?: "max_tokens" | "content_filter"
  ): void {
    this.turn.done(responseId)
    this.tellCompletion(responseId, stopReason, detail)
  }

  private tellCompletion(
    responseId: string,
    stopReason: "complete" | "interrupted" | "tool_use" | "error",
    detail?: "max_tokens" | "content_filter"
  ): void {
    this.rooms.words.finishResponse(responseId)
    if (stopReason === "complete") this.rooms.words.completed(responseId)
    this.fanout.emit({
      _tag: "ResponseComplete",
      responseId,
      stopReason,
      ...(detail === undefined ? {} : { detail })
    })
  }
}
