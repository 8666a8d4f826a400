/**
 * Handles the events of the model. Runs in the stack of the caller, strictly in order, so that nothing waits between the
 * socket and the decision.
 */
import * as Effect from "effect/Effect"
import * as Audio from "../../Audio.ts"
import { fromError } from "../../BidiEvent.ts"
import type { ModelEvent } from "../../BidiModel.ts"
import type { InterruptionPolicy } from "./interruptionPolicy.ts"
import type { Fanout } from "../events/fanout.ts"
import type { ConnectionMetrics } from "../connection/metrics.ts"
import type { Interrupter } from "./interruption.ts"
import { WholeCharacters } from "../history/wholeCharacters.ts"
import type { Ledger } from "../playback/ledger.ts"
import type { Services } from "../conversation/services.ts"
import type { Tools } from "../tools/tools.ts"
import type { TurnState } from "./turnState.ts"

export class Receiver {
  private readonly services: Services
  private readonly interrupter: Interrupter
  private readonly policy: InterruptionPolicy
  private readonly tools: Tools
  // What a frame of audio needs is copied here: with hundreds of sessions, every object on the way is a cache miss.
  private readonly format: Audio.AudioFormat
  private readonly turn: TurnState
  private readonly metrics: ConnectionMetrics
  private readonly ledger: Ledger
  private readonly fanout: Fanout
  private readonly samples: Audio.WholeSamples // of the current item; its frames may end within a sample
  private currentItem: string | undefined
  private readonly thoughts = new WholeCharacters()

  constructor(services: Services, interrupter: Interrupter, policy: InterruptionPolicy, tools: Tools) {
    this.services = services
    this.interrupter = interrupter
    this.policy = policy
    this.tools = tools
    this.format = services.model.output
    this.samples = new Audio.WholeSamples(services.model.output)
    this.turn = services.turn
    this.metrics = services.metrics
    this.ledger = services.ledger
    this.fanout = services.fanout
  }

  /** Handles one event. Returns an effect only if there is something to wait for. */
  receive(event: ModelEvent): Effect.Effect<void> | undefined {
    if (event._tag === "AudioDelta") return this.audioDelta(event)
    // waiters are woken once the whole event has been handled
    this.turn.hold()
    try {
      return this.handle(event)
    } finally {
      this.turn.release()
    }
  }

  private audioDelta(event: Extract<ModelEvent, { readonly _tag: "AudioDelta" }>): undefined {
    if (!this.isOpen(event.responseId)) return this.lateAudio(event.itemId, event.audio)
    const { itemId } = event
    if (itemId !== this.currentItem) {
      this.currentItem = itemId
      this.samples.clear()
    }
    const audio = this.samples.push(event.audio)
    if (audio.length === 0) return
    const at = this.metrics.audio()
    this.ledger.append(event.responseId, itemId, Audio.millis(this.format, audio.length))
    this.fanout.sound({
      _tag: "AudioStream",
      responseId: event.responseId,
      itemId,
      audio,
      encoding: this.format.encoding,
      sampleRate: this.format.sampleRate,
      channels: this.format.channels,
      at
    })
  }

  private handle(event: Exclude<ModelEvent, { readonly _tag: "AudioDelta" }>): Effect.Effect<void> | undefined {
    switch (event._tag) {
      case "TranscriptDelta": {
        if (event.responseId === undefined || this.isOpen(event.responseId)) this.services.transcriber.delta(event)
        else this.services.transcriber.cutReplies.lateText(event)
        return
      }
      case "TranscriptDone": {
        if (event.role === "user") this.services.outbox.answered()
        if (event.responseId === undefined || this.isOpen(event.responseId)) this.services.transcriber.done(event)
        else this.services.transcriber.cutReplies.lateText(event)
        this.turn.changed()
        return
      }
      case "Reasoning": {
        const { delta, responseId } = event
        if (!this.isOpen(responseId) || !this.fanout.wants("Reasoning")) return
        const whole = this.thoughts.take(delta)
        if (whole !== "") this.fanout.emit({ _tag: "Reasoning", responseId, delta: whole })
        return
      }
      case "TranscriptFailed": {
        this.services.transcriber.failed(event.itemId)
        this.turn.changed()
        this.fanout.emit(fromError(event.error))
        return
      }
      case "ResponseStarted": {
        if (this.turn.stage(event.responseId) !== undefined) return
        // what silences the reply before would silence this one as well
        if (this.interrupter.isRunning()) return this.interrupter.between(() => void this.receive(event))
        this.start(event.responseId, event.more)
        return
      }
      case "ResponseDone": {
        if (!this.isOpen(event.responseId)) return
        // the provider cut the reply off and reports nothing else about it
        if (event.stopReason === "interrupted") return this.interruptedByProvider(event.responseId)
        this.complete(event.responseId, event.stopReason, event.detail)
        if (event.error !== undefined) this.fanout.emit(fromError(event.error))
        return
      }
      case "NoResponse": {
        this.services.uninterruptible.lift()
        this.turn.noReply()
        this.fanout.emit(fromError(event.error))
        return
      }
      case "UserTurn": {
        this.services.transcriber.userTurn(event.itemId)
        this.services.outbox.committed()
        this.turn.userTurn(event.itemId, event.respond)
        return this.policy.userTurn(event.interrupts === true)
      }
      case "SpeechStarted": {
        this.turn.userSpeaks(true)
        this.fanout.emit({ _tag: "UserSpeech", phase: "started" })
        return this.policy.speechStarted(event.interrupts !== false)
      }
      case "SpeechStopped": {
        this.turn.userSpeaks(false)
        this.fanout.emit({ _tag: "UserSpeech", phase: "stopped" })
        this.policy.speechStopped()
        return
      }
      case "Interrupted": {
        this.turn.unanswered.interrupted()
        this.turn.interruptedByMessage(event.responseId)
        return this.interruptedByProvider(event.responseId)
      }
      case "Refused": {
        this.services.transcriber.refused(event.id)
        this.turn.unanswered.settle(event.id)
        this.problem(event)
        return
      }
      case "ToolCalls": {
        // also for a reply that was cut off: a call needs a result
        this.isOpen(event.responseId)
        this.tools.call(event)
        return
      }
      case "ToolCallsCancelled": {
        this.tools.cancel(event.ids)
        return
      }
      case "Usage": {
        this.services.journal.write(event)
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
        this.fanout.emit({ _tag: "Unknown", provider: this.services.model.provider, type, raw })
        return
      }
      case "Expiring":
      case "Resumable":
        return
    }
  }

  /**
   * The connection is gone, and its reply will not be finished. Returns whether that happened during a turn. Nobody is woken
   * before it is known what is owed.
   */
  abandon(): { readonly turnInterrupted: boolean } {
    const { metrics, generation, uninterruptible, turn, transcriber } = this.services
    const { active, inTurn } = turn
    generation.gone = generation.current
    turn.hold()
    if (active !== undefined) {
      this.tellCompletion(active, "error")
      transcriber.cutReplies.lost(active)
    }
    turn.abandoned()
    uninterruptible.abandoned(active)
    this.policy.abandoned()
    transcriber.abandoned()
    metrics.lost(turn.owed?.what === "rest")
    turn.release()
    return { turnInterrupted: inTurn }
  }

  // Separate, to keep it off the path of frames that are heard.
  private lateAudio(itemId: string, audio: Uint8Array): undefined {
    this.services.transcriber.cutReplies.lateAudio(itemId, Audio.millis(this.format, audio.length))
  }

  // A provider may repeat events or send them in the wrong order: nothing behind this point sees that.
  private isOpen(responseId: string): boolean {
    if (responseId === this.turn.active) return true
    const stage = this.turn.stage(responseId)
    if (stage === undefined) this.start(responseId)
    return stage === undefined || stage === "active"
  }

  private start(responseId: string, more = false): void {
    const { outbox, uninterruptible, transcriber } = this.services
    if (this.turn.active !== undefined) this.complete(this.turn.active, "error")
    uninterruptible.started(responseId, more)
    this.turn.started(responseId, more)
    outbox.answered()
    transcriber.answered()
    this.fanout.emit({ _tag: "ResponseStart", responseId })
    this.tools.replyBegan()
  }

  private problem({
    details,
    error
  }: Pick<Extract<ModelEvent, { readonly _tag: "Problem" }>, "error" | "details">): void {
    this.fanout.emit({ ...fromError(error), ...(details === undefined ? {} : { details }) })
  }

  private interruptedByProvider(responseId: string): Effect.Effect<void> | undefined {
    if (!this.services.uninterruptible.covers(responseId))
      return Effect.asVoid(this.interrupter.interrupt("user_speech"))
    // what was generated of it is heard all the same
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
    this.services.transcriber.finishResponse(responseId)
    if (stopReason === "complete") this.services.transcriber.heard.completed(responseId)
    this.fanout.emit({
      _tag: "ResponseComplete",
      responseId,
      stopReason,
      ...(detail === undefined ? {} : { detail })
    })
  }
}
