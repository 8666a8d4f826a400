/**
 * The inputs of a conversation, each in a fiber of its own, and what happens when all of them have ended.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Audio from "../../Audio.ts"
import type { BidiError } from "../../BidiError.ts"
import { type CloseReason, fromError } from "../../BidiEvent.ts"
import type { BidiInput } from "../../BidiInput.ts"
import type { Shutdown } from "./shutdown.ts"
import { onInsideInterrupt } from "./insideInterrupt.ts"
import type { Fail } from "./parts.ts"
import * as Sender from "./sender.ts"
import type { Services } from "./services.ts"

// After the inputs have ended, silence is sent in frames of this length, in real time.
const SILENCE_FRAME = "100 millis"

/** Opens the inputs. Returns an effect that waits for the end of all of them. */
export const open = Effect.fnUntraced(function* (
  shutdown: Shutdown,
  services: Services,
  sender: Sender.Sender,
  inputs: ReadonlyArray<BidiInput<unknown, any>>,
  fail: Fail
) {
  const fibers = yield* Effect.forEach(inputs, (input) =>
    shutdown.part(
      `the input "${input.name}"`,
      Effect.forkScoped(listen(services, sender, input, fail), { startImmediately: true })
    )
  )
  return Effect.forEach(fibers, Fiber.join, { discard: true })
})

const listen = ({ inputGate, fanout }: Services, sender: Sender.Sender, from: BidiInput<unknown, any>, fail: Fail) => {
  const { name } = from
  const failed = (cause: Cause.Cause<unknown>) => Effect.sync(() => fail(cause))
  const refused = (error: BidiError) => Effect.andThen(failed(Cause.fail(error)), Effect.never)
  const tell = (error: BidiError) => Effect.sync(() => fanout.emit(fromError(error)))
  return from
    .run((input) => {
      // a frame of audio passes at once, without an effect
      if (input._tag === "TurnCommit") return Effect.catch(Effect.catchIf(sender.send(input), isTap, tell), refused)
      if (input._tag !== "AudioInput") return Effect.catch(sender.send(input), refused)
      const problem = inputGate.hear(input, name)
      return problem === undefined ? undefined : refused(Sender.invalid(problem))
    })
    .pipe(
      // its source was shut down, which is its end
      (listening) =>
        onInsideInterrupt(listening, () => Effect.logDebug(`the input "${name}" was interrupted: it has ended`)),
      Effect.onError(failed)
    )
}

// The push-to-talk button was pressed and nothing was said: no reason to end the call.
const isTap = ({ reason }: BidiError) => reason._tag === "InvalidRequest"

/** Ends the conversation once all that came from its inputs has been heard and answered. */
export const finish = Effect.fnUntraced(function* (
  services: Services,
  count: number,
  stop: (reason: CloseReason) => Effect.Effect<void>
) {
  if (count === 0) return
  const { inputGate, model, now, outbox, turn } = services
  // returns whether the connection lived long enough to hear all of it
  const silence = Effect.gen(function* () {
    for (const since = now(); inputGate.waitsForSilence(since);) {
      if (!turn.online) return false
      outbox.audio.silence(Audio.silence(model.input, SILENCE_FRAME))
      yield* Effect.sleep(SILENCE_FRAME)
    }
    return true
  })
  // a connection that hears the speech again has to hear the silence after it again
  for (let over = outbox.audio.total === 0; !over;) {
    yield* turn.until(() => turn.online)
    const heard = yield* silence
    yield* turn.until(() => turn.atRest || !turn.online)
    over = heard && turn.atRest
  }
  yield* turn.awaitIdle
  yield* stop("complete")
})
