/**
 * Handshakes that are refused on demand.
 */
import type { Refusal } from "../../Fault.ts"
import type { Refused } from "./transport.ts"

/** The provider's name and words for a status. */
export type Problem<Code> = readonly [code: Code, message: string]

/** Refuses handshakes in the provider's words, unless the fault has its own. */
export const refusing =
  <Code>(options: {
    readonly problems: Readonly<Record<number, Problem<Code>>>
    readonly otherwise: Problem<Code>
    readonly refused: (status: number, code: Code | string, message: string) => Refused
  }) =>
  ({ code, message, retryAfterSeconds, status }: Refusal): Refused => {
    const [usual, text] = options.problems[status] ?? options.otherwise
    const refused = options.refused(status, code ?? usual, message ?? text)
    if (retryAfterSeconds === undefined) return refused
    return { ...refused, headers: { ...refused.headers, "retry-after": `${retryAfterSeconds}` } }
  }
