/**
 * The conformance suite for providers: scenarios written once against `BidiModel`.
 *
 * The author of a provider brings a {@link Lab}: the adapter, connected through its real SDK to a server that plays the
 * provider, and controls of that server. Each scenario runs by itself, and dies with what was wrong.
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
import { failures } from "./conformance/failures.ts"
import { handoffs } from "./conformance/handoffs.ts"
import { longRunningTools } from "./conformance/longRunningTools.ts"
import { proxies } from "./conformance/proxies.ts"
import { serverFaults } from "./conformance/serverFaults.ts"
import { sessions } from "./conformance/sessions.ts"
import { sockets } from "./conformance/sockets.ts"
import { speech } from "./conformance/speech.ts"
import { toolCalls } from "./conformance/toolCalls.ts"
import { toolDefinitions } from "./conformance/toolDefinitions.ts"
import { turns } from "./conformance/turns.ts"
import { unresponsiveModels } from "./conformance/unresponsiveModels.ts"
import type { Scenario } from "./ConformanceLab.ts"

export type * from "./ConformanceLab.ts"

/**
 * The scenarios in which a whole agent converses: its speech, tools that take their time, handoffs. They are part of
 * {@link scenarios}.
 *
 * @category scenarios
 * @since 0.1.0
 */
export const agents: ReadonlyArray<Scenario> = [...speech, ...longRunningTools, ...handoffs]

/**
 * All scenarios.
 *
 * @category scenarios
 * @since 0.1.0
 */
export const scenarios: ReadonlyArray<Scenario> = [
  ...turns,
  ...toolDefinitions,
  ...toolCalls,
  ...connections,
  ...failures,
  ...sockets,
  ...proxies,
  ...serverFaults,
  ...unresponsiveModels,
  ...sessions,
  ...agents
]
