/**
 * What every provider has to do, as scenarios written once against `BidiModel`.
 *
 * The author of a provider gives a {@link Lab}: the adapter, connected through its real SDK to a server that plays the
 * provider, and a hand on that server. Each scenario runs by itself and dies with what was wrong.
 *
 * @example
 * ```ts
 * for (const scenario of BidiConformance.scenarios) {
 *   it.live(scenario.name, () => Effect.scoped(Effect.flatMap(makeLab, scenario.run)))
 * }
 * ```
 *
 * @since 0.1.0
 */
import { connections } from "./conformance/connections.ts"
import { declarations } from "./conformance/declarations.ts"
import { failures } from "./conformance/failures.ts"
import { inputGate } from "./conformance/inputGate.ts"
import { hearing } from "./conformance/hearing.ts"
import type { Scenario } from "./conformance/lab.ts"
import { oddServers } from "./conformance/oddServers.ts"
import { handoffs } from "./conformance/handoffs.ts"
import { proxies } from "./conformance/proxies.ts"
import { talk } from "./conformance/talk.ts"
import { tasks } from "./conformance/tasks.ts"
import { toolCalls } from "./conformance/toolCalls.ts"

export type * from "./conformance/lab.ts"

/**
 * Those in which a whole agent converses over the adapter: what is heard of it, tools that take their time, handoff. Part
 * of {@link scenarios}.
 *
 * @category scenarios
 */
export const agents: ReadonlyArray<Scenario> = [...hearing, ...tasks, ...handoffs]

/**
 * All of them.
 *
 * @category scenarios
 */
export const scenarios: ReadonlyArray<Scenario> = [
  ...talk,
  ...declarations,
  ...toolCalls,
  ...connections,
  ...failures,
  ...proxies,
  ...oddServers,
  ...inputGate,
  ...agents
]
