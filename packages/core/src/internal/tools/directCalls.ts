/**
 * Calls that the application makes itself. The model may be told their results; it is not asked for a reply.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import { type Conversation, CurrentConversation } from "../../CurrentConversation.ts"
import type { History } from "../history/history.ts"
import { newId } from "../ids.ts"
import { type Answer, ofExit, STOPPED } from "./answers.ts"
import type { Kit } from "./kit.ts"
import type { ToolOutputs } from "./outputs.ts"
import type { ToolRun } from "./toolRun.ts"

export const make = (
  history: History,
  outputs: ToolOutputs,
  conversation: Conversation,
  toolRun: ToolRun,
  kitNow: () => Kit
) =>
  Effect.fnUntraced(function* (name: string, input: Schema.Json, record: boolean): Effect.fn.Return<Answer> {
    const id = `app-${yield* newId}`
    const kit = kitNow()
    let recorded = !record
    const onEnd = (exit: Exit.Exit<Answer, unknown>) => {
      if (recorded) return
      recorded = true
      const output = toolRun.limit(kit, name, ofExit(exit, STOPPED))
      history.put({ _tag: "ToolCall", id, responseId: "application", name, input, output })
      outputs.note(name, output)
    }
    const exit = yield* toolRun.runDirectly({ kit, id, name, input, onEnd }).pipe(
      Effect.provideService(CurrentConversation, conversation),
      Effect.onExit((exit) => Effect.sync(() => onEnd(exit))),
      Effect.exit
    )
    return ofExit(exit, STOPPED)
  })
