/**
 * Calls of the model. They come as messages of their own, as parts of what it says, or as both.
 */
import type { ToolCall } from "@effect-bidi/core/BidiModel"
import { type Fields, isFields } from "@effect-bidi/core/adapter/Json"
import { list, text } from "./frame.ts"
import type { Called, Events, State } from "./state.ts"
import { nextId } from "./state.ts"

// A call comes in its second way soon after its first.
const REMEMBERED = 64

/** The calls among these that have not come before, and what is wrong with the others. */
export const callsIn = (state: State, raw: ReadonlyArray<unknown>, asPart: boolean, out: Events): Array<ToolCall> =>
  raw.flatMap((one) => {
    const call = isFields(one) ? one : {}
    const [id, name, args] = [text(call, "id"), text(call, "name"), JSON.stringify(call.args ?? {})]
    // in content, ids may be left out; elsewhere it is by them that calls are answered
    if (name === "" || (id === "" && !asPart)) {
      const error = state.errors.malformed("a call of the model has no id or no name and cannot be answered")
      out.push({ _tag: "Problem", error })
      return []
    }
    const wire = id === "" ? undefined : id
    if (isTwin(state, { wire, name, args, asPart })) return []
    const called: Called = { id: wire ?? nextId(state, "calls"), wire, name, args, reply: -1, asPart, twice: false }
    state.called.push(called)
    if (state.called.length > REMEMBERED) state.called.shift()
    return [{ id: called.id, name, arguments: args }]
  })

/** The calls in parts of content. */
export const callsOf = (content: Fields): ReadonlyArray<unknown> =>
  list(content, "parts").flatMap((part) =>
    isFields(part) && part.functionCall !== undefined && part.functionCall !== null ? [part.functionCall] : []
  )

// The same call in its other way, or the same message again: no other reply has begun since. An id that is used again is
// another call.
const isTwin = (state: State, { args, asPart, name, wire }: Pick<Called, "wire" | "name" | "args" | "asPart">) => {
  const twin = state.called.find((called) => {
    if (called.name !== name || called.args !== args) return false
    if (called.wire === wire && wire !== undefined) return called.reply === state.counts.replies
    return called.asPart !== asPart && !called.twice && (called.wire === undefined || wire === undefined)
  })
  if (twin === undefined) return false
  twin.twice = true
  twin.wire ??= wire
  return true
}

/** Nobody wants it any more; under this id it may be asked for anew. */
export const forget = ({ called }: State, id: string): void => {
  const index = called.findIndex((call) => call.id === id)
  if (index !== -1) called.splice(index, 1)
}

/** By what id the provider knows a call; nothing, where it gave none. */
export const wireId = ({ called }: State, id: string): { readonly id?: string } => {
  const known = called.find((call) => call.id === id)
  return known !== undefined && known.wire === undefined ? {} : { id: known?.wire ?? id }
}
