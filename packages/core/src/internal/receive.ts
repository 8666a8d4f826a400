/**
 * What the model says, turned into what the conversation does. Runs inside the pull of a connection's events: strictly
 * in order, and nothing waits between socket and decision.
 */
import * as Effect from "effect/Effect"
import * as Audio from "../Audio.ts"
import { fromError } from "../BidiEvent.ts"
import type { ModelEvent } from "../BidiModel.ts"
import type { BargeIn } from "./bargeIn.ts"
import type { Interrupter } from "./interruption.ts"
import type { Rooms } from "./rooms.ts"
import type { Tools } from "./tools.ts"
import type { Owed } from "./turn.ts"

export interface Receiver {
  /** Handles one event. An effect comes back only when there is something to wait for. */
  readonly receive: (event: ModelEvent) => Effect.Effect<void> | undefined
  /**
   * The connection is gone: what it was in the middle of will not be finished. Answers what it owes, and whether
   * that was in the middle of a turn.
   */
  readonly abandon: () => { readonly owed: Owed | undefined; readonly turnInterrupted: boolean }
}

export const make = (rooms: Rooms, interrupter: Interrupter, bargeIn: BargeIn, tools: Tools): Receiver => {
  const { fanout, ledger, model, outbox, protection, turn, words } = rooms
  const format = model.output

  // A provider may repeat itself, or say things in the wrong order; nobody behind this line shall notice.
  const open = (responseId: string): boolean => {
    if (responseId === turn.active) return true
    const stage = turn.stage(responseId)
    if (stage === undefined) start(responseId)
    return stage === undefined || stage === "active"
  }

  const start = (responseId: string, more = false) => {
    if (turn.active !== undefined) complete(turn.active, "error")
    protection.started(responseId, more)
    turn.started(responseId, more)
    outbox.answered()
    fanout.emit({ _tag: "ResponseStart", responseId })
  }

  const complete = (
    responseId: string,
    stopReason: "complete" | "interrupted" | "tool_use" | "error",
    detail?: "max_tokens" | "content_filter"
  ) => {
    words.finishResponse(responseId)
    turn.done(responseId)
    fanout.emit({
      _tag: "ResponseComplete",
      responseId,
      stopReason,
      ...(detail === undefined ? {} : { detail })
    })
  }

  const receive = (event: ModelEvent): Effect.Effect<void> | undefined => {
    switch (event._tag) {
      case "AudioDelta": {
        if (!open(event.responseId)) return
        ledger.append(event.responseId, event.itemId, Audio.millis(format, event.audio.length))
        fanout.emit({
          _tag: "AudioStream",
          responseId: event.responseId,
          itemId: event.itemId,
          audio: event.audio,
          format: format.format,
          sampleRate: format.sampleRate,
          channels: format.channels
        })
        return
      }
      case "TranscriptDelta": {
        if (event.responseId === undefined || open(event.responseId)) words.delta(event)
        return
      }
      case "TranscriptDone": {
        if (event.role === "user") outbox.answered()
        if (event.responseId === undefined || open(event.responseId)) words.done(event)
        turn.changed()
        return
      }
      case "ResponseStarted": {
        if (turn.stage(event.responseId) === undefined) start(event.responseId, event.more)
        return
      }
      case "ResponseDone": {
        if (!open(event.responseId)) return
        complete(event.responseId, event.stopReason, event.detail)
        if (event.error !== undefined) fanout.emit(fromError(event.error))
        return
      }
      case "NoResponse": {
        protection.lift()
        turn.noReply()
        fanout.emit(fromError(event.error))
        return
      }
      case "UserTurn": {
        words.userTurn(event.itemId)
        outbox.committed()
        turn.userTurn(event.respond)
        return bargeIn.userTurn(event.interrupts === true)
      }
      case "SpeechStarted": {
        turn.userSpeaks(true)
        fanout.emit({ _tag: "UserSpeech", phase: "started" })
        return bargeIn.speechStarted(event.interrupts !== false)
      }
      case "SpeechStopped": {
        turn.userSpeaks(false)
        fanout.emit({ _tag: "UserSpeech", phase: "stopped" })
        bargeIn.speechStopped()
        return
      }
      case "Interrupted": {
        if (protection.covers(event.responseId)) {
          // what there is of it is heard all the same
          if (turn.active === event.responseId) complete(event.responseId, "interrupted")
          return
        }
        return Effect.asVoid(interrupter.interrupt("user_speech"))
      }
      case "ToolCalls": {
        // also for a reply that was cut off: a call wants an answer
        open(event.responseId)
        tools.call(event)
        return
      }
      case "ToolCallsCancelled": {
        tools.cancel(event.ids)
        return
      }
      case "Usage": {
        fanout.emit(event)
        return
      }
      case "Problem": {
        fanout.emit({ ...fromError(event.error), ...(event.details === undefined ? {} : { details: event.details }) })
        return
      }
      case "Expiring":
      case "Resumable":
        return
    }
  }

  return {
    receive,
    abandon: () => {
      const { active, inTurn } = turn
      if (active !== undefined) complete(active, "error")
      protection.abandoned(active)
      turn.abandoned(active)
      return { owed: turn.owed, turnInterrupted: inTurn }
    }
  }
}
