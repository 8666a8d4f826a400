/**
 * The parts of a conversation that run in fibers of their own: hooks, the event stream, outputs, the model. Each opens in a
 * scope of its own, which closes in bounded time.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Profile } from "../../BidiModel.ts"
import type { BidiOutput } from "../../BidiOutput.ts"
import type { ConnectionOptions, Hook } from "../../ConversationOptions.ts"
import * as Supervisor from "../connection/supervisor.ts"
import * as EventStream from "../events/eventStream.ts"
import * as Hooks from "../events/hooks.ts"
import type { Interrupter } from "../turns/interruption.ts"
import type { Receiver } from "../turns/receiver.ts"
import type { Shutdown } from "./shutdown.ts"
import type { Services } from "./services.ts"

/** Ends the conversation because a part has failed. */
export type Fail = (cause: Cause.Cause<unknown>) => void

export const openHooks = (shutdown: Shutdown, services: Services, hooks: ReadonlyArray<Hook<any>>, fail: Fail) =>
  Effect.forEach(
    hooks.filter(({ tags }) => tags.length > 0),
    (hook) => {
      const name = `a hook on ${hook.tags.join(", ")}`
      return shutdown.part(
        name,
        Effect.gen(function* () {
          const mailbox = yield* Hooks.mailbox(services.fanout, hook.tags)
          const end = Effect.sync(() => mailbox.done(Exit.fail(Cause.Done())))
          yield* shutdown.worker(name, Hooks.run(mailbox, hook.handle, services.journal), end, fail)
        })
      )
    },
    { discard: true }
  )

export const openEvents = (shutdown: Shutdown, services: Services) =>
  shutdown.part(
    "the events",
    Effect.gen(function* () {
      const events = yield* EventStream.make(services.fanout)
      yield* Effect.addFinalizer(() => events.end)
      return events
    })
  )

export const openOutputs = (
  shutdown: Shutdown,
  services: Services,
  outputs: ReadonlyArray<BidiOutput<unknown, any>>,
  fail: Fail
) =>
  Effect.forEach(
    outputs,
    (output) => {
      const name = `the output "${output.name}"`
      return shutdown.part(
        name,
        Effect.gen(function* () {
          const connected = yield* output.open
          yield* shutdown.worker(name, connected.run, connected.end, fail)
          services.outputs.add(output, connected)
        })
      )
    },
    { discard: true }
  )

export const openModel = (
  shutdown: Shutdown,
  services: Services,
  receiver: Receiver,
  interrupter: Interrupter,
  configuration: Profile,
  options: ConnectionOptions,
  fail: Fail
) =>
  shutdown.part(
    "the model",
    Effect.gen(function* () {
      const supervisor = yield* Supervisor.make(services, receiver, interrupter, configuration, options)
      yield* supervisor.open
      yield* Effect.forkScoped(Effect.onError(supervisor.keep, (cause) => Effect.sync(() => fail(cause))))
      return supervisor
    })
  )
