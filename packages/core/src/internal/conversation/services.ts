/**
 * The services of one conversation, as they see each other. What they keep belongs to the conversation, not to one of its
 * connections.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BidiError, Unanswered } from "../../BidiError.ts"
import { fromError } from "../../BidiEvent.ts"
import { BidiModel } from "../../BidiModel.ts"
import { InputGate } from "../turns/inputGate.ts"
import type { Fanout } from "../events/fanout.ts"
import { ConnectionMetrics } from "../connection/metrics.ts"
import { withConnectionLost } from "./insideInterrupt.ts"
import type { History } from "../history/history.ts"
import type { Journal } from "../session/journal.ts"
import * as Outbox from "../connection/outbox.ts"
import { Audible } from "../playback/audible.ts"
import * as Outputs from "../playback/outputs.ts"
import { Ledger } from "../playback/ledger.ts"
import { UninterruptibleSpeech } from "../turns/uninterruptibleSpeech.ts"
import { REPLY_TIMEOUT_MILLIS, TurnState } from "../turns/turnState.ts"
import { Transcriber } from "../history/transcriber.ts"

export interface Services {
  readonly model: BidiModel["Service"]
  readonly fanout: Fanout
  /** What is written to the session's log. */
  readonly journal: Journal
  readonly history: History
  readonly transcriber: Transcriber
  readonly metrics: ConnectionMetrics
  readonly ledger: Ledger
  readonly turn: TurnState
  readonly uninterruptible: UninterruptibleSpeech
  readonly inputGate: InputGate
  readonly outbox: Outbox.Outbox
  readonly outputs: Outputs.Outputs
  readonly audible: Audible
  /** The tool calls, by the id of their entry, whose result no connection was told. */
  readonly untold: Set<string>
  /** Counts the connections: the number of the current one, and of the last one that is gone. */
  readonly generation: { current: number; gone: number }
  /** Milliseconds of the clock. */
  readonly now: () => number
}

export const make = Effect.fnUntraced(function* (fanout: Fanout, journal: Journal, history: History) {
  const model = withConnectionLost(yield* BidiModel)
  const ledger = new Ledger()
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const outbox: Outbox.Outbox = yield* Outbox.make(
    model.input,
    (error) => fanout.emit(fromError(error)),
    () => turn.changed(),
    now
  )
  const turn: TurnState = new TurnState(
    ledger,
    () => !outbox.isEmpty(),
    now,
    () => {
      uninterruptible.lift()
      fanout.emit(fromError(unanswered))
    }
  )
  const transcriber = new Transcriber(fanout, journal, history, ledger, turn, now)
  const uninterruptible: UninterruptibleSpeech = new UninterruptibleSpeech(turn, ledger)
  const audible = new Audible(fanout, ledger)
  const inputGate = new InputGate(model.input, outbox.audio, turn, uninterruptible, now)
  fanout.onDemand("UserAudio", () => {
    inputGate.onPassed = (audio) => fanout.speech({ _tag: "UserAudio", audio, ...model.input, at: now() })
  })
  return {
    model,
    fanout,
    journal,
    history,
    ledger,
    outbox,
    transcriber,
    metrics: new ConnectionMetrics(clock, yield* Effect.context<never>()),
    turn,
    uninterruptible,
    inputGate,
    outputs: yield* Outputs.make(model.output, fanout, ledger, audible),
    audible,
    untold: new Set<string>(),
    generation: { current: 0, gone: 0 },
    now
  } satisfies Services
})

const unanswered = new BidiError({
  reason: new Unanswered({
    message: `A requested reply did not begin within ${REPLY_TIMEOUT_MILLIS / 1000} seconds and is no longer expected`
  })
})
