/**
 * Plays the conversations of one provider, and tells its parent what became of them. Started by `main.ts`.
 */
import * as Effect from "effect/Effect"
import { type Broken, broken } from "./laws.ts"
import { draw, type Fate, type Provider } from "./plan.ts"
import { play } from "./play.ts"
import { tell } from "./story.ts"

export interface Wish {
  readonly provider: Provider
  readonly seeds: ReadonlyArray<number>
  /** How many may be on at once. */
  readonly concurrency: number
  /** Tell the story of every conversation, not only of those that break a law. */
  readonly verbose: boolean
}

const STAGGER = 200 // milliseconds between the first conversations

/** What became of one conversation. The log of one that broke a law is told as well. */
export interface Told {
  readonly seed: number
  readonly broken: ReadonlyArray<Broken>
  readonly connections: number
  readonly hits: ReadonlyArray<string>
  readonly fate: Fate
  readonly texts: number
  readonly tools: number
  readonly millis: number
  readonly story: string | undefined
}

export interface Report {
  readonly provider: Provider
  readonly told: ReadonlyArray<Told>
  /** What keeps the process alive that did not before, by name. */
  readonly handles: ReadonlyArray<string>
}

const run = Effect.fnUntraced(function* ({ concurrency, provider, seeds, verbose }: Wish) {
  // what the first use of a library sets up for good is not a leak
  yield* one(provider, 0, false)
  const before = yield* handles
  const told = yield* Effect.forEach(
    seeds,
    // not all at the same moment
    (seed, index) => Effect.delay(one(provider, seed, verbose), index < concurrency ? index * STAGGER : 0),
    { concurrency }
  )
  let after = yield* handles
  for (let tries = 0; tries < 20 && after.length > before.length; tries++) {
    yield* Effect.sleep("100 millis")
    after = yield* handles
  }
  for (const name of before) {
    const index = after.indexOf(name)
    if (index !== -1) after.splice(index, 1)
  }
  return { provider, told, handles: after } satisfies Report
})

const handles = Effect.sync(() => process.getActiveResourcesInfo())

const one = Effect.fnUntraced(function* (provider: Provider, seed: number, verbose: boolean) {
  const outcome = yield* play(draw(provider, seed))
  const laws = broken(outcome)
  const { hits, log, millis, plan, ran, sent } = outcome
  return {
    seed,
    broken: laws,
    connections: log.filter((entry) => entry.kind === "opened" || entry.kind === "refused").length,
    hits,
    fate: plan.fate,
    texts: sent.length,
    tools: ran.length,
    millis,
    story: laws.length > 0 || verbose ? tell(outcome) : undefined
  } satisfies Told
})

process.on("SIGINT", () => {}) // Ctrl+C reaches the whole group; the parent decides
process.on("disconnect", () => process.exit(1)) // it does not outlive its parent
process.once("message", (wish: Wish) => {
  Effect.runPromise(run(wish)).then(
    (report) => process.send!(report, () => process.exit(0)),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
})
