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

// What a recording that has ended is followed by, in real time.
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
      // a frame of audio passes at once; only the rest is worth an effect
      if (input._tag === "TurnCommit") return Effect.catch(Effect.catchIf(sender.send(input), isTap, tell), refused)
      if (input._tag !== "AudioInput") return Effect.catch(sender.send(input), refused)
      const problem = inputGate.hear(input, name)
      return problem === undefined ? undefined : refused(Sender.invalid(problem))
    })
    .pipe(
      // what it listened to was taken away (a queue that was shut down): that is its end
      (listening) =>
        onInsideInterrupt(listening, () => Effect.logDebug(`the input "${name}" was interrupted: it has ended`)),
      Effect.onError(failed)
    )
}

// Somebody pressed the button and said nothing: no reason to end the call.
const isTap = ({ reason }: BidiError) => reason._tag === "InvalidRequest"

/** Ends the conversation once all that came from its inputs has been heard and answered. */
export const finish = Effect.fnUntraced(function* (
  services: Services,
  count: number,
  stop: (reason: CloseReason) => Effect.Effect<void>
) {
  if (count === 0) return
  const { inputGate, model, now, outbox, turn } = services
  // answers whether the connection lived to hear it
  const silence = Effect.gen(function* () {
    for (const since = now(); inputGate.waitsForSilence(since);) {
      if (!turn.online) return false
      outbox.audio.silence(Audio.silence(model.input, SILENCE_FRAME))
      yield* Effect.sleep(SILENCE_FRAME)
    }
    return true
  })
  // a connection that hears again what was said hears the silence after it again
  for (let over = outbox.audio.total === 0; !over;) {
    yield* turn.until(() => turn.online)
    const heard = yield* silence
    yield* turn.until(() => turn.atRest || !turn.online)
    over = heard && turn.atRest
  }
  yield* turn.awaitIdle
  yield* stop("complete")
})
