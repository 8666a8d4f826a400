/**
 * A whole agent with tools that take their time, need approval, are interrupted, and outlive their connection.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as BidiTest from "../BidiTest.ts"
import * as BidiTool from "../BidiTool.ts"
import { CurrentConversation } from "../CurrentConversation.ts"
import { breakConnection, type Call, checkSaid, start, until } from "./support/call.ts"
import type { Lab, Scenario } from "../ConformanceLab.ts"
import { check } from "./support/check.ts"

const returning = { success: Schema.String, failure: Schema.String, failureMode: "return" } as const
const amount = Schema.Struct({ amount: Schema.Int })

const toolkit = Toolkit.make(
  Tool.make("pay", { ...returning, parameters: amount, needsApproval: true }),
  Tool.make("pay_now", { ...returning, parameters: amount, needsApproval: true }).annotate(
    BidiTool.ApprovalTimeout,
    "100 millis"
  ),
  Tool.make("search", returning),
  Tool.make("dig", returning).annotate(BidiTool.StillWorkingAfter, "100 millis"),
  Tool.make("knock", returning).annotate(BidiTool.Timeout, "100 millis"),
  Tool.make("count", returning),
  Tool.make("linger", { ...returning, dependencies: [CurrentConversation] }),
  Tool.make("wait", returning).annotate(BidiTool.OnInterruption, "cancel")
)

/** An agent whose tools run until `finish`; `begun` are those that have begun. */
const worker = Effect.fnUntraced(function* (speaker?: BidiTest.VirtualSpeaker) {
  const finished = yield* Latch.make()
  const begun: Array<string> = []
  const begin = (what: string) => Effect.sync(() => void begun.push(what))
  const handlers = toolkit.toLayer({
    pay: ({ amount }) => Effect.as(begin(`pay ${amount}`), `receipt ${amount + 1}`),
    pay_now: ({ amount }) => Effect.as(begin(`pay_now ${amount}`), `receipt ${amount + 1}`),
    search: () => Effect.as(Effect.andThen(begin("search"), finished.await), "the key is under the mat"),
    dig: () => Effect.as(Effect.andThen(begin("dig"), finished.await), "a chest of gold"),
    knock: () => Effect.never,
    count: (_, { preliminary }) =>
      Effect.as(Effect.andThen(preliminary("one sheep"), preliminary("two sheep")), "three sheep"),
    linger: () =>
      Effect.gen(function* () {
        yield* (yield* CurrentConversation).awaitIdle
        return "it is quiet now"
      }),
    wait: () => Effect.never
  })
  const call = yield* Effect.provide(start({ toolkit }, speaker), handlers)
  return { call, begun, finish: finished.open }
})

/** Makes the model call a tool, and then say `next`. */
const callTool = Effect.fnUntraced(function* (
  { server }: Lab,
  call: Call,
  name: string,
  { input = {}, next }: { readonly input?: Record<string, unknown>; readonly next?: string } = {}
) {
  yield* server.reply({ calls: [{ name, arguments: input }] })
  if (next !== undefined) yield* server.reply({ text: next })
  yield* call.send("Do what I need.")
  return yield* call.until("ToolUse")
})

/** Checks that there is one result, which is this. */
const checkResult = (call: Call, result: string, isFailure = false) => {
  const [one, ...others] = call.all("ToolResult")
  return check(
    others.length === 0 && one?.result === result && one.isFailure === isFailure,
    `the results were ${JSON.stringify([one, ...others])}`
  )
}

export const longRunningTools: ReadonlyArray<Scenario> = [
  {
    name: "calls a tool once it is approved, and converses meanwhile",
    run: (lab) =>
      Effect.gen(function* () {
        const { begun, call } = yield* worker()
        yield* callTool(lab, call, "pay", { input: { amount: 4710 } })
        const { id, input } = yield* call.until("ApprovalRequest")
        yield* check(JSON.stringify(input) === '{"amount":4710}', `approval of ${JSON.stringify(input)} is requested`)
        yield* lab.server.reply({ text: "I am here." })
        yield* call.send("Are you there?")
        yield* call.untilSaid("I am here.")
        yield* check(begun.length === 0, "the tool was called without approval")
        yield* lab.server.reply({ text: "It is paid." })
        yield* check(yield* call.approve(id), "the call did not wait for approval")
        yield* check(!(yield* call.approve(id)), "the call was approved twice")
        yield* lab.server.received("receipt 4711")
        yield* call.untilSaid("It is paid.")
        yield* call.awaitIdle
        yield* checkResult(call, "receipt 4711")
        yield* check(begun.length === 1, `the tool was called ${begun.length} times`)
        yield* check(call.all("ApprovalResolved")[0]?.approved === true, "there was no ApprovalResolved")
        yield* checkSaid(call, "I am here.", "It is paid.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "does not call a tool that was rejected, and tells the model why",
    run: (lab) =>
      Effect.gen(function* () {
        const { begun, call } = yield* worker()
        yield* callTool(lab, call, "pay", { input: { amount: 1 }, next: "Then not." })
        const { id } = yield* call.until("ApprovalRequest")
        yield* call.reject(id, "it is too dear")
        yield* lab.server.received("it is too dear")
        yield* call.untilSaid("Then not.")
        yield* call.awaitIdle
        yield* checkResult(call, "This was not approved: it is too dear.", true)
        yield* check(begun.length === 0, "the tool was called although the call was rejected")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "stops waiting for approval after the timeout",
    run: (lab) =>
      Effect.gen(function* () {
        const { begun, call } = yield* worker()
        yield* callTool(lab, call, "pay_now", { input: { amount: 1 }, next: "Nobody cares." })
        yield* lab.server.received("nobody decided in time")
        yield* call.untilSaid("Nobody cares.")
        yield* call.awaitIdle
        yield* check(
          call.all("ToolResult")[0]?.isFailure === true,
          "the result of a call without approval is not a failure"
        )
        yield* check(begun.length === 0, "the tool was called without approval")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "tells the model that a tool is still running, goes on, and delivers the result later",
    run: (lab) =>
      Effect.gen(function* () {
        const { call, finish } = yield* worker()
        yield* callTool(lab, call, "dig", { next: "I am digging." })
        yield* lab.server.received("Still working on it")
        yield* call.untilSaid("I am digging.")
        yield* lab.server.reply({ text: "And you?" })
        yield* call.send("I am waiting.")
        yield* call.untilSaid("And you?")
        yield* check(call.all("ToolResult").length === 0, "there was a result before the tool had finished")
        yield* lab.server.reply({ text: "We are rich." })
        yield* finish
        yield* lab.server.received("a chest of gold")
        yield* call.untilSaid("We are rich.")
        yield* call.awaitIdle
        yield* checkResult(call, "a chest of gold")
        yield* check(call.all("ToolResult")[0]?.late === true, "a late result is not marked as late")
        yield* checkSaid(call, "I am digging.", "And you?", "We are rich.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "stops a tool at its timeout, and tells the model",
    run: (lab) =>
      Effect.gen(function* () {
        const { call } = yield* worker()
        yield* callTool(lab, call, "knock", { next: "Nobody is there." })
        yield* lab.server.received("The tool took longer than 100ms and was stopped.")
        yield* call.untilSaid("Nobody is there.")
        yield* call.awaitIdle
        yield* checkResult(call, "The tool took longer than 100ms and was stopped.", true)
        yield* checkSaid(call, "Nobody is there.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "reports the progress of a tool, and gives the model only its result",
    run: (lab) =>
      Effect.gen(function* () {
        const { call } = yield* worker()
        yield* callTool(lab, call, "count", { next: "Good night." })
        yield* lab.server.received("three sheep")
        yield* call.untilSaid("Good night.")
        yield* call.awaitIdle
        const values = call.all("ToolProgress").map(({ value }) => value)
        yield* check(values.join() === "one sheep,two sheep", `the progress was ${values}`)
        yield* checkResult(call, "three sheep")
        yield* checkSaid(call, "Good night.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "lets a tool wait until the conversation is idle",
    run: (lab) =>
      Effect.gen(function* () {
        const { call } = yield* worker()
        yield* callTool(lab, call, "linger", { next: "At last." })
        yield* lab.server.received("it is quiet now")
        yield* call.untilSaid("At last.")
        yield* call.awaitIdle
        yield* checkResult(call, "it is quiet now")
        yield* checkSaid(call, "At last.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "stops a tool that is annotated so when the agent is interrupted",
    run: (lab) =>
      Effect.gen(function* () {
        const speaker = yield* BidiTest.speaker()
        const { call, finish } = yield* worker(speaker)
        const both = ["wait", "search"].map((name) => ({ name, arguments: {} }))
        yield* lab.server.reply({ text: "I will look for it, and this may take me a while.", calls: both })
        yield* call.send("Find the key.")
        yield* call.until("ToolUse", 2)
        yield* until(() => Duration.toMillis(speaker.played()) >= 300)
        yield* call.interrupt()
        yield* call.until("ToolResult")
        yield* checkResult(call, "The tool was stopped because the user interrupted.", true)
        yield* lab.server.reply({ text: "There it is." })
        yield* finish
        yield* lab.server.received("because the user interrupted")
        yield* lab.server.received("under the mat")
        yield* call.untilSaid("There it is.")
        yield* call.awaitIdle
        yield* check(call.all("ToolResult").length === 2, "the other tool has no result")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "calls a tool once when the provider repeats the call",
    run: (lab) =>
      Effect.gen(function* () {
        if (lab.server.repeatToolCalls === undefined) return
        const { begun, call, finish } = yield* worker()
        yield* lab.server.repeatToolCalls
        yield* callTool(lab, call, "search", { next: "There it is." })
        yield* finish
        yield* lab.server.received("under the mat")
        yield* call.untilSaid("There it is.")
        yield* call.awaitIdle
        yield* check(begun.length === 1, `the tool was called ${begun.length} times`)
        yield* checkResult(call, "the key is under the mat")
        yield* check(call.all("Error").length === 0, "there was an Error event")
        yield* checkSaid(call, "There it is.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "delivers on a new connection the result of a tool that was called on the old one",
    run: (lab) =>
      Effect.gen(function* () {
        const { begun, call, finish } = yield* worker()
        yield* callTool(lab, call, "search")
        yield* breakConnection(lab, call)
        yield* lab.server.reply({ text: "There it is." })
        yield* finish
        yield* lab.server.received("under the mat")
        yield* call.untilSaid("There it is.")
        yield* call.awaitIdle
        yield* check(begun.length === 1, `the tool was called ${begun.length} times`)
        yield* checkResult(call, "the key is under the mat")
        yield* checkSaid(call, "There it is.")
        yield* lab.server.connections(1)
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "loses neither the user's message nor the result of a tool when the connection breaks",
    run: (lab) =>
      Effect.gen(function* () {
        const { call, finish } = yield* worker()
        yield* callTool(lab, call, "search", { next: "I do what I can." })
        yield* Effect.all([breakConnection(lab, call), call.send("And hurry up!")], { concurrency: 2 })
        yield* call.untilSaid("I do what I can.")
        yield* lab.server.reply({ text: "There it is." })
        yield* finish
        yield* lab.server.received("under the mat")
        yield* call.untilSaid("There it is.")
        yield* call.awaitIdle
        yield* checkResult(call, "the key is under the mat")
        yield* checkSaid(call, "I do what I can.", "There it is.")
      }).pipe(Effect.provide(lab.model))
  },
  {
    name: "still waits for approval when the connection breaks",
    run: (lab) =>
      Effect.gen(function* () {
        const { begun, call } = yield* worker()
        yield* callTool(lab, call, "pay", { input: { amount: 4710 } })
        const { id } = yield* call.until("ApprovalRequest")
        yield* breakConnection(lab, call)
        yield* lab.server.reply({ text: "It is paid." })
        yield* check(begun.length === 0, "the tool was called without approval")
        yield* check(yield* call.approve(id), "the call does not wait for approval any more")
        yield* lab.server.received("receipt 4711")
        yield* call.untilSaid("It is paid.")
        yield* call.awaitIdle
        yield* checkResult(call, "receipt 4711")
        yield* check(call.all("ApprovalRequest").length === 1, "approval was requested twice")
        yield* checkSaid(call, "It is paid.")
      }).pipe(Effect.provide(lab.model))
  }
]
