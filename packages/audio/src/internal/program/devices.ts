/**
 * `devices`: lists microphones and speakers.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { table } from "../../AudioDevice.ts"
import * as AudioIO from "../../AudioIO.ts"
import { backend } from "./options.ts"

const json = Flag.Boolean("json").pipe(Flag.withDescription("Prints JSON"), Flag.withDefault(false))

export const devices = Command.make(
  "devices",
  { backend, json },
  Effect.fnUntraced(function* ({ backend, json }) {
    const all = yield* AudioIO.devices({ backend })
    if (json) return yield* Console.log(JSON.stringify(all, undefined, 2))
    if (all.length === 0) return yield* Console.log("No devices were found. Run `soundcheck` to find out why.")
    yield* Console.log(table(all))
    yield* Console.log(
      '\n* is the default. Choose by index, name, or a part of the name: AudioIO.layer({ inputDevice: 0, outputDevice: "usb" }).'
    )
  })
).pipe(Command.withDescription("Lists microphones and speakers"))
