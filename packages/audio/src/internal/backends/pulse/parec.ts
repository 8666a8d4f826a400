/**
 * A microphone through `parec`.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AudioDevice } from "../../../AudioDevice.ts"
import { deviceFailed } from "../../errors.ts"
import type { Microphone, Request } from "../backend.ts"
import { scoped } from "../child.ts"
import { watch } from "../watchdog.ts"
import { BACKEND, missing } from "./server.ts"
import { stream } from "./arguments.ts"

const OPEN_TIMEOUT = "3 seconds"

/** Opens the microphone, and waits for its first audio. */
export const open = Effect.fnUntraced(function* (
  device: AudioDevice,
  request: Request,
  onAudio: (pcm: Uint8Array) => void
) {
  let pieces = 0
  const ready = yield* Deferred.make<void>()
  const child = yield* scoped("parec", stream(device, request, request.frameMillis), {
    stdio: ["ignore", "pipe", "pipe"]
  })
  child.process.stdout!.on("data", (pcm: Uint8Array) => {
    if (pieces++ === 0) Deferred.doneUnsafe(ready, Exit.void)
    onAudio(pcm)
  })
  const failed = (message: string) => deviceFailed("input", device.description, message)
  const ended = Effect.flatMap(Deferred.await(child.ended), (end) =>
    Effect.fail(end.missing ? missing("parec", end) : failed(`${BACKEND}: ${end.message}`))
  )
  yield* Effect.raceFirst(Deferred.await(ready), ended).pipe(
    Effect.timeoutOrElse({
      duration: OPEN_TIMEOUT,
      orElse: () => Effect.fail(failed("it delivered no audio within 3 s"))
    })
  )
  return {
    format: request,
    done: Effect.raceFirst(
      ended,
      watch(() => pieces, failed("it delivers no audio any more"))
    ),
    lost: () => 0
  } satisfies Microphone
})
