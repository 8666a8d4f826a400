#!/usr/bin/env node
/**
 * The machine's sound as a program: `devices` lists it, `soundcheck` tests it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { devices } from "./internal/program/devices.ts"
import { soundcheck } from "./internal/program/soundcheck.ts"

const command = Command.make("effect-bidi-audio").pipe(
  Command.withDescription("Microphones and speakers of this machine"),
  Command.withSubcommands([devices, soundcheck])
)

Command.run(command, { version: "0.1.0" }).pipe(
  Effect.tapErrorTag("AudioError", (error) => Console.error(error.message)),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
