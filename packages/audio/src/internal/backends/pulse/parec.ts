/**
 * A microphone through `parec`.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AudioDevice } from "../../../AudioDevice.ts"
import { deviceFailed } from "../../../AudioError.ts"
import type { Microphone, Request } from "../../device/backend.ts"
import { scoped } from "../../process/child.ts"
import { watch } from "../../device/watchdog.ts"
import { BACKEND, missing } from "./server.ts"
import { stream } from "./arguments.ts"

/** Opens it, and waits until sound comes. */
export const open = Effect.fnUntraced(function* (
  device: AudioDevice,
  request: Request,
  onSound: (pcm: Uint8Array) => void
) {
  let pieces = 0
  const ready = yield* Deferred.make<void>()
  const child = yield* scoped("parec", stream(device, request, request.frameMillis), {
    stdio: ["ignore", "pipe", "pipe"]
  })
  child.process.stdout!.on("data", (pcm: Uint8Array) => {
    if (pieces++ === 0) Deferred.doneUnsafe(ready, Exit.void)
    onSound(pcm)
  })
  const failed = (words: string) => deviceFailed("input", device.description, words)
  const ended = Effect.flatMap(Deferred.await(child.ended), (end) =>
    Effect.fail(end.missing ? missing("parec", end) : failed(`${BACKEND}: ${end.words}`))
  )
  yield* Effect.raceFirst(Deferred.await(ready), ended).pipe(
    Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.fail(failed("it gives no sound")) })
  )
  return {
    format: request,
    done: Effect.raceFirst(
      ended,
      watch(
        () => pieces,
        () => failed("it gives no sound any more")
      )
    ),
    lost: () => 0
  } satisfies Microphone
})
