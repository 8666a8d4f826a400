/**
 * The outputs of tool calls on their way to the model. Calls that it made together are answered together, and cause one
 * reply.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { Command, ToolOutput } from "../../BidiModel.ts"
import type { Services } from "../conversation/services.ts"
import { type Answer, asNote, STILL_WORKING } from "./answers.ts"
import type { Call } from "./calls.ts"

/** Calls to be answered together, and the connection that wants the answer. */
interface Group {
  readonly generation: number
  readonly calls: ReadonlyArray<Call>
}

export interface ToolOutputs {
  /** Sends the outputs of these calls together, as soon as each has one. */
  readonly expect: (group: Group) => void
  /** A call has its output. */
  readonly settled: (call: Call, answer: Answer) => void
  /** When a call has no output by then, the model is told that it is still running; its result follows. */
  readonly stillWorkingAfter: (call: Call, duration: Duration.Input) => void
  /** Tells the model of a call that it did not make. */
  readonly note: (name: string, answer: Answer) => void
  /** The model does not want the outputs of these calls. */
  readonly cancel: (isMeant: (call: Call) => boolean) => void
  /** The model has begun a reply: it knows the outputs that were sent to this connection before. */
  readonly replyBegan: () => void
}

export const make = Effect.fnUntraced(function* ({ generation, journal, outbox, turn, untold }: Services) {
  const open = new Set<Group>()
  const awaitingReply = new Set<Call>() // whose outputs were sent, and no reply has begun since
  const background = yield* FiberSet.make()
  const fork = yield* FiberSet.runtime(background)()

  // meanwhile the conversation is not at rest
  const later = (moment: Effect.Effect<void>, then: () => void) => {
    const done = turn.beginSending()
    fork(Effect.ensuring(Effect.andThen(moment, Effect.sync(then)), Effect.sync(done)))
  }

  const sent = (calls: ReadonlyArray<Call>) => {
    for (const call of calls) {
      if (call.settled === undefined) continue // the model was told that it is still running
      call.sentTo = generation.current
      untold.delete(call.key)
      awaitingReply.add(call)
    }
  }

  const offer = (
    command: Command,
    calls: ReadonlyArray<Call>,
    to: number,
    otherwise: (generation: number) => Command | undefined
  ) =>
    outbox.offerUnsafe(command, {
      bound: { generation: to, otherwise },
      onSent: (command) => {
        sent(calls)
        turn.awaitReply(command)
      }
    })

  // A result that follows is sent as a note when nobody speaks.
  const follow = (call: Call, answer: Answer) =>
    later(Effect.andThen(journal.durable, turn.awaitFloor), () =>
      offer(
        { _tag: "Note", text: asNote(call.request.name, answer), respond: true },
        [call],
        generation.current,
        () => ({ _tag: "Respond" })
      )
    )

  // Once every call of a group has its output, the model gets them all, and is asked for one reply.
  const answer = (group: Group) => {
    if (!group.calls.every(({ overdue, settled }) => settled !== undefined || overdue) || !open.delete(group)) return
    const outputs = group.calls.map((call): ToolOutput => {
      const { id, name } = call.request
      if (call.settled === undefined) call.resultFollows = true
      return { id, name, ...(call.settled?.answer ?? STILL_WORKING) }
    })
    const send = () =>
      offer({ _tag: "ToolOutputs", outputs }, group.calls, group.generation, (later) => forConnection(group, later))
    // the log knows what the model acts on; and the reply would be said into what the user is saying
    if (!journal.isDurable() || turn.userSpeaking) later(Effect.andThen(journal.durable, turn.awaitUserSilence), send)
    else send()
  }

  const answerAll = () => {
    for (const group of open) answer(group)
  }

  return {
    expect: (group) => {
      open.add(group)
      answer(group)
    },
    settled: (call, output) => {
      if (call.resultFollows) follow(call, output)
      call.resultFollows = false
      answerAll()
    },
    stillWorkingAfter: (call, duration) =>
      void fork(
        Effect.andThen(
          Effect.sleep(duration),
          Effect.sync(() => {
            if (call.settled !== undefined) return
            call.overdue = true
            answerAll()
          })
        )
      ),
    note: (name, answer) => {
      const send = () =>
        outbox.offerUnsafe(
          { _tag: "Note", text: asNote(name, answer), respond: false },
          { bound: { generation: generation.current } }
        )
      if (journal.isDurable()) send()
      else later(journal.durable, send)
    },
    cancel: (isMeant) => {
      for (const group of open) {
        const calls = group.calls.filter((call) => !isMeant(call))
        if (calls.length === group.calls.length) continue
        open.delete(group)
        if (calls.length > 0) open.add({ ...group, calls })
      }
    },
    replyBegan: () => {
      for (const call of awaitingReply) {
        if (call.sentTo !== generation.current) continue
        call.acknowledged = true
        awaitingReply.delete(call)
      }
    }
  } satisfies ToolOutputs
})

// A connection that does not know the calls gets their outputs in a note, unless its history has them.
const forConnection = ({ calls }: Group, generation: number): Command | undefined => {
  const settled = calls.flatMap(({ request, settled }) =>
    settled === undefined ? [] : [{ ...settled, name: request.name }]
  )
  if (settled.length === 0) return undefined
  const unknown = settled.filter((one) => one.generation >= generation)
  if (unknown.length === 0) return { _tag: "Respond" }
  return { _tag: "Note", text: unknown.map(({ answer, name }) => asNote(name, answer)).join("\n"), respond: true }
}
