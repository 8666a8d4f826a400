/**
 * Failures: each has its reason, and leaves no connection open.
 */
import * as Effect from "effect/Effect"
import { BidiModel } from "../BidiModel.ts"
import type { Failure, Lab, Scenario } from "../ConformanceLab.ts"
import { check, failing } from "./support/check.ts"
import { connect } from "./support/connection.ts"

const isReported = ({ name, reason }: Failure, got: string) =>
  check(got === reason, `${name} is reported as ${got}, not ${reason}`)

const run = (failure: Failure, { model, server }: Lab) =>
  Effect.gen(function* () {
    if (failure.when === "connect") {
      yield* failure.cause
      const { connect } = yield* BidiModel
      const error = yield* failing(failure.name, connect({ instructions: undefined, tools: [], resume: undefined }))
      return yield* isReported(failure, error.reason._tag)
    }
    const line = yield* connect()
    yield* failure.cause
    const error = yield* line.end
    yield* isReported(failure, error.reason._tag)
  }).pipe(Effect.scoped, Effect.andThen(server.connections(0)), Effect.provide(model))

/** One scenario for all failures: each lab has its own. */
export const failures: ReadonlyArray<Scenario> = [
  {
    name: "reports every failure with its reason, and leaves no connection open",
    run: (lab) => Effect.forEach(lab.failures, (failure) => run(failure, lab), { discard: true })
  }
]
