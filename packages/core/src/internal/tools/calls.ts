/**
 * The tool calls of the model, and which of them a provider makes again.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { ToolCall } from "../../BidiModel.ts"
import type * as Transcript from "../../Transcript.ts"
import type { Services } from "../conversation/services.ts"
import { type Answer, parse } from "./answers.ts"

/** One run of a tool for the model. */
export interface Call {
  /** Its id in events, in the history and for approval: the provider's, unless something has that id already. */
  readonly key: string
  readonly request: ToolCall
  /** Its arguments, or their text where that is not JSON. */
  readonly input: Schema.Json
  /** The connection that asked for it last, and the response it was in. */
  asked: { readonly generation: number; readonly responseId: string }
  /** Its output, and the connection that was current when it came: the history of any later one holds it. */
  settled: { readonly answer: Answer; readonly generation: number } | undefined
  /** It has run longer than the model is to wait. */
  overdue: boolean
  /** The model was told that it is still running: its result follows. */
  resultFollows: boolean
  /** An interruption stops it. */
  cancellable: boolean
  /** Its output if it is interrupted now, where that is known. */
  ifInterrupted: Answer | undefined
  /** The connection that its output was sent to last. */
  sentTo: number | undefined
  /** The model has begun a reply that knows its output. */
  acknowledged: boolean
}

export interface Calls {
  /**
   * The call that this one repeats. A provider repeats a call in the same response; a new connection repeats one of an old
   * connection as long as the model may not have its output. Any other is another call, whatever its id is.
   */
  readonly repeated: (request: ToolCall, responseId: string) => Call | undefined
  /** A call of an earlier process. The model was told that it is still running. */
  readonly restore: (call: Transcript.ToolCall) => Call
  /** A call that was not known. */
  readonly add: (request: ToolCall, responseId: string) => Call
  /** Calls that are wanted no more: a provider that asks for one of them again makes another. */
  readonly forget: (ids: ReadonlyArray<string>, isMeant: (call: Call) => boolean) => void
}

export const make = ({ generation, history, untold }: Services): Calls => {
  const byProviderId = new Map<string, Array<Call>>()

  const newKey = (id: string): string => {
    let key = id
    for (let n = 2; history.get(key) !== undefined; n++) key = `${id}_${n}`
    return key
  }

  const newCall = (key: string, request: ToolCall, input: Schema.Json, responseId: string): Call => ({
    key,
    request,
    input,
    asked: { generation: generation.current, responseId },
    settled: undefined,
    overdue: false,
    resultFollows: false,
    cancellable: false,
    ifInterrupted: undefined,
    sentTo: undefined,
    acknowledged: false
  })

  return {
    restore: ({ id, input, name, responseId }) => {
      const call = newCall(id, { id, name, arguments: JSON.stringify(input) }, input, responseId)
      call.resultFollows = true
      byProviderId.set(id, [call])
      untold.add(id)
      return call
    },
    repeated: (request, responseId) =>
      byProviderId
        .get(request.id)
        ?.findLast(
          (call) =>
            call.request.name === request.name &&
            call.request.arguments === request.arguments &&
            (call.asked.generation === generation.current ? call.asked.responseId === responseId : !call.acknowledged)
        ),
    add: (request, responseId) => {
      const key = newKey(request.id)
      const input = Result.getOrElse(parse(request.arguments), () => request.arguments)
      const call = newCall(key, request, input, responseId)
      const others = byProviderId.get(request.id)
      if (others === undefined) byProviderId.set(request.id, [call])
      else others.push(call)
      untold.add(key)
      history.put({ _tag: "ToolCall", id: key, responseId, name: request.name, input })
      return call
    },
    forget: (ids, isMeant) => {
      for (const id of ids) {
        const [kept, forgotten] = partition(byProviderId.get(id) ?? [], isMeant)
        for (const call of forgotten) untold.delete(call.key)
        if (kept.length === 0) byProviderId.delete(id)
        else byProviderId.set(id, kept)
      }
    }
  }
}

const partition = (calls: ReadonlyArray<Call>, isMeant: (call: Call) => boolean) =>
  [calls.filter((call) => !isMeant(call)), calls.filter(isMeant)] as const
