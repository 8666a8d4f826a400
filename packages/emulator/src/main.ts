#!/usr/bin/env node
/**
 * The emulator as a program: `pnpm emulator --provider google --port 8790`. Prints where to point a client, then what comes
 * in and goes out.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Trace from "./internal/program/trace.ts"
import { faultsOf, flags } from "./internal/program/flags.ts"
import { providers } from "./internal/program/providers.ts"

const command = Command.make(
  "emulator",
  flags,
  Effect.fnUntraced(function* (flags) {
    const offer = providers[flags.provider]
    const emulator = yield* offer.make({
      host: flags.host,
      port: flags.port,
      speed: flags.speed,
      voice: flags.voice,
      faults: faultsOf(flags, offer),
      log: { entries: 2000 },
      ...(Option.isSome(flags.sessionSeconds) ? { sessionLimit: flags.sessionSeconds.value * 1000 } : {}),
      ...(Option.isSome(flags.key) ? { apiKeys: [flags.key.value] } : {})
    })
    yield* Console.log(`${offer.name} emulator at ${emulator.url}`)
    yield* Console.log(`Point a client at it: ${offer.hint(emulator.url)}`)
    if (flags.quiet) return yield* Effect.never
    return yield* emulator.entries.pipe(
      Stream.mapAccum(
        () => Trace.initial,
        (state, entry) => Trace.step(offer.format, state, entry)
      ),
      Stream.runForEach((text) => Console.log(text))
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Emulates the server side of a realtime speech API, with a scripted assistant and faults on demand"
  )
)

const explain = (error: { readonly _tag: string; readonly message: string }): Effect.Effect<void> =>
  Console.error(error.message)

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.tapErrorTag("ListenError", explain),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
