/**
 * Where a backend keeps its sessions during one test.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Name } from "./backends.ts"
import * as Postgres from "./postgres.ts"
import * as S3 from "./s3.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bidi-store-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export const places: Record<Name, Effect.Effect<string, never, Scope.Scope>> = {
  file: folder,
  sqlite: folder,
  keyValue: folder,
  postgres: Postgres.database,
  s3: S3.server({ pageSize: 3 })
}

/** Says once why a backend is not tested here. */
export const isMissing = (name: Name): boolean => {
  if (name !== "postgres" || Postgres.isInstalled()) return false
  console.log("PostgreSQL is not installed: its store is not tested here (Debian: apt-get install postgresql)")
  return true
}
