/**
 * Options that mean nothing.
 */
import { assert, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as GeminiEmulator from "@effect-bidi/emulator/GeminiEmulator"
import * as NovaEmulator from "@effect-bidi/emulator/NovaEmulator"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"

const rejected = (make: Effect.Effect<unknown, unknown, never>) =>
  Effect.map(Effect.sandbox(Effect.flip(Effect.sandbox(make))), (cause) => String(Cause.squash(cause)))

it.effect.each<[what: string, make: ReturnType<typeof OpenAiEmulator.make>, message: RegExp]>([
  ["a speed of nothing", OpenAiEmulator.make({ speed: 0 }), /speed: Expected a number above zero/],
  ["a port that does not exist", OpenAiEmulator.make({ port: 70_000 }), /port: /],
  ["a duration that is none", OpenAiEmulator.make({ latency: -1 }), /latency: Expected a duration of zero or more/],
  ["a voice that cannot speak", OpenAiEmulator.make({ voice: {} as never }), /voice: /],
  ["a fault that does not exist", OpenAiEmulator.make({ faults: [{ _tag: "Nope" } as never] }), /faults/],
  ["an unknown option", OpenAiEmulator.make({ sped: 2 } as never), /sped: There is no such option/],
  ["a provider's own option", GeminiEmulator.make({ ending: "never" as never }), /ending: /],
  ["another provider's option", NovaEmulator.make({ ending: "drop" } as never), /ending: There is no such option/]
])("%s is a defect that names it", ([, make, message]) =>
  Effect.map(rejected(Effect.scoped(make)), (text) => assert.match(text, message))
)
