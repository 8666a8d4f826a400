/**
 * A toolkit with its handlers, as a conversation uses it: tools by their names, and how each is to be treated.
 */
import * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import type * as Schema from "effect/Schema"
import type { ToolDefinition } from "../../BidiModel.ts"
import * as BidiTool from "../../BidiTool.ts"

export type Kit = Toolkit.WithHandler<Record<string, Tool.Any>>

/** Forgets which tools there are: a conversation knows them by the names that a model uses. */
export const untyped = <Tools extends Record<string, Tool.Any>>(toolkit: Toolkit.WithHandler<Tools>): Kit =>
  toolkit as unknown as Kit

/** How a tool is annotated, or the default. */
export const annotation = <A>(kit: Kit, name: string, reference: Context.Reference<A>): A =>
  Context.get(kit.tools[name]?.annotations ?? Context.empty(), reference)

/** A value of a tool for the log, unless the tool is confidential. */
export const loggable = (kit: Kit, name: string, value: Schema.Json): string =>
  annotation(kit, name, BidiTool.Confidential) ? "<redacted>" : JSON.stringify(value)

/** The tools as they are declared to a model. */
export const definitions = (kit: Kit): ReadonlyArray<ToolDefinition> =>
  Object.values(kit.tools).map((tool) => ({
    name: tool.name,
    description: Tool.getDescription(tool),
    parameters: Tool.getJsonSchema(tool)
  }))
