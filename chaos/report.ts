/**
 * What became of the conversations, as tables in Markdown.
 */
import type { Report, Told } from "./child.ts"
import { kinds } from "./laws.ts"

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")

const sum = (told: ReadonlyArray<Told>, of: (one: Told) => number) => told.reduce((sum, one) => sum + of(one), 0)

/** One row for each provider; the last columns have to be zero. */
export const summary = (reports: ReadonlyArray<Report>): string =>
  table(
    ["provider", "conversations", "texts", "tool runs", "connections", "faults", ...kinds],
    reports.map(({ handles, provider, told }) => [
      provider,
      told.length,
      sum(told, ({ texts }) => texts),
      sum(told, ({ tools }) => tools),
      sum(told, ({ connections }) => connections),
      sum(told, ({ hits }) => hits.length),
      ...kinds.map(
        (kind) =>
          sum(told, ({ broken }) => broken.filter((one) => one.kind === kind).length) +
          (kind === "leaked" ? handles.length : 0)
      )
    ])
  )

/** How often each kind of fault was made. */
export const faults = (reports: ReadonlyArray<Report>): string => count("fault", reports, ({ hits }) => hits)

/** How the conversations had to end. */
export const fates = (reports: ReadonlyArray<Report>): string => count("end", reports, ({ fate }) => [fate])

const count = (what: string, reports: ReadonlyArray<Report>, of: (one: Told) => ReadonlyArray<string>): string => {
  const counts = reports.map(({ told }) => Map.groupBy(told.flatMap(of), (name) => name))
  const names = new Set(counts.flatMap((names) => [...names.keys()]).toSorted())
  return table(
    [what, ...reports.map(({ provider }) => provider)],
    [...names].map((name) => [name, ...counts.map((names) => names.get(name)?.length ?? "")])
  )
}

/** The conversations that broke a law, how to play them again, and the whole story of the first one. */
export const failures = (reports: ReadonlyArray<Report>): string | undefined => {
  const all = reports.flatMap(({ handles, provider, told }) => [
    ...(handles.length === 0 ? [] : [`${provider}: the process still holds ${handles.join(", ")}`]),
    ...told
      .filter(({ broken }) => broken.length > 0)
      .map(({ broken, seed }) =>
        [
          `${provider}, seed ${seed} (pnpm chaos --provider ${provider} --only ${seed})`,
          ...broken.map(({ kind, what }) => `  ${kind}: ${what}`)
        ].join("\n")
      )
  ])
  if (all.length === 0) return undefined
  const first = reports.flatMap(({ told }) => told).find(({ broken }) => broken.length > 0)
  return [...all, ...(first?.story === undefined ? [] : [`\nthe story of seed ${first.seed}:\n${first.story}`])].join(
    "\n"
  )
}
