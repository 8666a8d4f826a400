/**
 * The agent in charge: the one that the conversation began with, as changed since, or the one that took over.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { BidiError } from "../../BidiError.ts"
import type { Profile as ModelProfile } from "../../BidiModel.ts"
import { type Conversation, CurrentConversation, type Profile } from "../../CurrentConversation.ts"
import type { Fanout } from "../events/fanout.ts"
import type { Journal } from "../session/journal.ts"
import { RunningCall } from "../tools/runningCall.ts"
import { definitions, type Kit, untyped } from "../tools/kit.ts"
import * as WellFormed from "./wellFormed.ts"

export interface Agents extends Pick<Conversation, "update" | "handoff"> {
  readonly kit: () => Kit
  readonly configuration: () => ModelProfile
}

interface Current {
  readonly name: string
  readonly instructions: string | undefined
  readonly kit: Kit
}

/** `configure` gives the model a profile, and calls `onConfirmed` at the moment at which the model has it. */
export const make = (
  initial: Profile,
  fanout: Fanout,
  journal: Journal,
  configure: (to: ModelProfile, onConfirmed: () => void) => Effect.Effect<void, BidiError>
): Agents => {
  let current: Current = { ...initial, kit: initial.toolkit }
  const one = Semaphore.makeUnsafe(1)

  const configurationOf = ({ instructions, kit }: Current): ModelProfile =>
    WellFormed.configuration({ instructions, tools: definitions(kit) })

  // A transaction: it takes effect at the moment at which the model has it. If it is refused or given up before, nothing
  // has changed. Until then the model may still call the old tools, or already the new ones; afterwards only the new ones.
  const become = Effect.fnUntraced(function* (change: (now: Current) => Current) {
    const before = current
    const next = change(before)
    current = { ...before, kit: both(before.kit, next.kit) }
    const confirmed = () => {
      current = next
      const { instructions, name } = next
      journal.write({ _tag: "Profile", name, ...(instructions === undefined ? {} : { instructions }) })
      if (next.name !== before.name) fanout.emit({ _tag: "Handoff", from: before.name, to: next.name })
    }
    yield* Effect.onExit(configure(configurationOf(next), confirmed), () =>
      Effect.sync(() => {
        if (current !== next) current = before
      })
    )
    yield* journal.durable
  }, one.withPermit)

  const update: Conversation["update"] = Effect.fnUntraced(function* (changes) {
    const kit = changes.toolkit === undefined ? undefined : yield* equipped(untyped(yield* changes.toolkit))
    yield* become((now) => ({
      name: now.name,
      instructions: changes.instructions ?? now.instructions,
      kit: kit ?? now.kit
    }))
  })

  const handoff: Conversation["handoff"] = Effect.fnUntraced(function* (to) {
    const kit = yield* equipped(untyped(to.toolkit))
    yield* become(() => ({ name: to.name, instructions: to.instructions, kit }))
  })

  return {
    kit: () => current.kit,
    configuration: () => configurationOf(current),
    update,
    handoff
  }
}

/** The agent that had taken over when the session was left, with the instructions that it had. */
export const restored = (given: Profile, agents: ReadonlyArray<Profile>, journal: Journal): Effect.Effect<Profile> => {
  const { profile } = journal.restored
  if (profile === undefined) return Effect.succeed(given)
  const agent = [given, ...agents].find(({ name }) => name === profile.name)
  const known = { ...given, ...agent, name: profile.name, instructions: profile.instructions }
  if (agent !== undefined) return Effect.succeed(known)
  const warning = `the agent "${profile.name}" had taken over, and is not among the agents of this run: it has the tools of "${given.name}"`
  return Effect.as(Effect.logWarning(warning), known)
}

const both = (one: Kit, other: Kit): Kit => ({
  tools: { ...other.tools, ...one.tools },
  handle: (name, params, id) => (Object.hasOwn(one.tools, name) ? one : other).handle(name, params, id)
})

/** Provides the handlers with the services that are here, except the conversation and the call, which each call has. */
const equipped = (kit: Kit): Effect.Effect<Kit> =>
  Effect.map(Effect.context<never>(), (context) => {
    const services = Context.omit(CurrentConversation, RunningCall)(context)
    return {
      tools: kit.tools,
      handle: (name, params, id) =>
        Effect.map(Effect.provideContext(kit.handle(name, params, id), services), Stream.provideContext(services))
    } satisfies Kit
  })
