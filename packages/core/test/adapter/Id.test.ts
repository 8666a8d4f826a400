import * as Id from "@effect-bidi/core/adapter/Id"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const three = Effect.all([Id.uuid, Id.uuid, Id.uuid])

it.effect("an id is a UUID, another every time, and the same from the same seed", () =>
  Effect.gen(function* () {
    const ids = yield* three
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.strictEqual(new Set(ids).size, 3)
    assert.deepStrictEqual(yield* Random.withSeed(three, "seed"), yield* Random.withSeed(three, "seed"))
    assert.notDeepEqual(yield* Random.withSeed(three, "seed"), yield* Random.withSeed(three, "another"))
  })
)
