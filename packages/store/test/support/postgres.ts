/**
 * A PostgreSQL server of our own, where one is installed (Debian: `postgresql`). Tests that need it say so and skip elsewhere.
 */
import { PgClient } from "@effect/sql-pg"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const debian = "/usr/lib/postgresql"
const folders = [
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
  ...(process.env.PATH ?? "").split(":")
]

export const bin = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")))

// the server refuses to run as root
const asUser = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

export const isInstalled = (): boolean => {
  if (bin === undefined) return false
  try {
    asUser()
    return true
  } catch {
    return false
  }
}

const start = async () => {
  const user = asUser()
  const folder = mkdtempSync(join(tmpdir(), "bidi-pg-"))
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid!)
  const data = join(folder, "data")
  const options = { ...user, cwd: folder, stdio: "ignore" as const }
  execFileSync(join(bin!, "initdb"), ["-D", data, "-A", "trust", "-U", "bidi", "--no-sync"], options)
  // it ends when this process does, however that ends: then the pipe closes
  const untilPipeCloses = '"$0" "$@" & read _; kill -QUIT $!; wait; rm -rf "$PWD"'
  const server = spawn(
    "sh",
    [
      "-c",
      untilPipeCloses,
      join(bin!, "postgres"),
      "-D",
      data,
      "-k",
      folder,
      "-c",
      "listen_addresses=",
      "-c",
      "fsync=off"
    ],
    { ...options, stdio: ["pipe", "ignore", "ignore"] }
  )
  server.unref()
  ;(server.stdin as Socket).unref()
  let databases = 0
  return async (): Promise<string> => {
    const name = `bidi${++databases}`
    for (let tries = 0; ; tries++) {
      try {
        execFileSync(join(bin!, "createdb"), ["-h", folder, "-U", "bidi", name], options)
        return `postgres://bidi@localhost:5432/${name}?host=${folder}`
      } catch (error) {
        if (tries === 200) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
}

let running: ReturnType<typeof start> | undefined

/** The URL of a database of its own, on a server that runs as long as this process. */
export const database = Effect.promise(async () => (await (running ??= start()))())

export const client = (url: string) => PgClient.layer({ url: Redacted.make(url), maxConnections: 8 }).pipe(Layer.orDie)
