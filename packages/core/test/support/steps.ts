import * as Schema from "effect/Schema"

/**
 * After how many steps a fiber makes room for others (`MaxOpsBeforeYield`; 2048 is the default). With few of them fibers
 * meet where they otherwise meet once in a million times.
 */
export const Steps = Schema.Literals([2048, 200, 30])
