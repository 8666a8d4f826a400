/**
 * Changes of the instructions and tools: over the live connection where the provider takes them there, otherwise by a new
 * connection. A change is a transaction: it holds once the provider has confirmed it, and until then nothing has changed.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BidiError, Unsupported } from "../../BidiError.ts"
import type { Profile } from "../../BidiModel.ts"
import type { Services } from "../conversation/services.ts"
import { Change, type ConfigurationState } from "./configuration.ts"
import type { Dialed } from "./dial.ts"

export interface Changes {
  /** Gives a connection the profile that the model has by now, before anything else is sent. */
  readonly bringUpToDate: (dialed: Dialed) => void
  readonly configure: (to: Profile, onConfirmed: () => void) => Effect.Effect<void, BidiError>
}

/** `current` returns the connection in use, `lost` an error that replaces it. */
export const make = (
  { generation, model, outbox }: Pick<Services, "generation" | "model" | "outbox">,
  configured: ConfigurationState,
  current: () => Dialed,
  lost: (message: string) => BidiError,
  reconnect: boolean
): Changes => {
  const bringUpToDate = (dialed: Dialed) => {
    const to = configured.current
    outbox.prependUnsafe(
      { _tag: "Update", ...to },
      {
        bound: { generation: generation.current },
        onSent: () => void (dialed.configuration = to),
        onRefused: isBroken(dialed)
      }
    )
  }

  const isBroken = (dialed: Dialed) => () =>
    void Deferred.doneUnsafe(
      dialed.broken,
      Exit.fail(lost("the provider rejected the instructions and tools that it had accepted before"))
    )

  const byCommand = (to: Profile, onConfirmed: () => void) =>
    Effect.suspend(() =>
      outbox.offer(
        { _tag: "Update", ...to },
        {
          onSent: () => {
            current().configuration = to
            configured.confirm(to, onConfirmed)
          },
          undo: () => ({ _tag: "Update", ...configured.current }),
          onRefused: () => isBroken(current())()
        }
      )
    )

  const byConnection = (to: Profile, onConfirmed: () => void) =>
    Effect.suspend(() => {
      const change = new Change(to, onConfirmed)
      configured.begin(change)
      return Effect.onInterrupt(Deferred.await(change.done), () => Effect.sync(() => configured.giveUp(change)))
    })

  const configure = (to: Profile, onConfirmed: () => void) => {
    if (model.capabilities.midSessionUpdate) return byCommand(to, onConfirmed)
    if (reconnect) return byConnection(to, onConfirmed)
    const message = `${model.model} needs a new connection to change instructions or tools, and connection.reconnect is false`
    return Effect.fail(
      new BidiError({ reason: new Unsupported({ feature: "changes", message }), provider: model.provider })
    )
  }

  return { bringUpToDate, configure }
}
