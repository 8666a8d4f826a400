/**
 * Failures: each is told as what it is, and leaves nothing behind.
 */
import * as Effect from "effect/Effect"
import { BidiModel } from "../BidiModel.ts"
import type { Failure, Lab, Scenario } from "./lab.ts"
import { check, connect, failing } from "./line.ts"

const told = ({ name, reason }: Failure, got: string) =>
  check(got === reason, `${name} is told as ${got}, not ${reason}`)

const run = (failure: Failure, { model, server }: Lab) =>
  Effect.gen(function* () {
    if (failure.when === "connect") {
      yield* failure.cause
      const { connect } = yield* BidiModel
      const error = yield* failing(failure.name, connect({ instructions: undefined, tools: [], resume: undefined }))
      return yield* told(failure, error.reason._tag)
    }
    const line = yield* connect()
    yield* failure.cause
    const error = yield* line.end
    yield* told(failure, error.reason._tag)
  }).pipe(Effect.scoped, Effect.andThen(server.connections(0)), Effect.provide(model))

/** One scenario for all failures of a lab: which there are, only the lab knows. */
export const failures: ReadonlyArray<Scenario> = [
  {
    name: "tells every failure by its reason, and leaves nothing behind",
    run: (lab) => Effect.forEach(lab.failures, (failure) => run(failure, lab), { discard: true })
  }
]
