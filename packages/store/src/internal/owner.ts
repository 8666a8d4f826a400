/**
 * Who opens a session: this process, recognisable after its pid has been reused.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"

/** `started` is the start time of the process in clock ticks since boot; empty where the system does not tell. */
const Owner = Schema.fromJsonString(Schema.Struct({ host: Schema.String, pid: Schema.Int, started: Schema.String }))

export type Owner = typeof Owner.Type

export const encode = Schema.encodeSync(Owner)

const decodeResult = Schema.decodeUnknownResult(Owner)

export const decode = (text: string): Owner | undefined => {
  const owner = decodeResult(text)
  return Result.isSuccess(owner) ? owner.success : undefined
}

// Field 22 of stat, behind the name of the program, which may contain spaces and parentheses.
const startOf = (pid: number | "self"): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}

export const self = (): Owner => ({ host: hostname(), pid: process.pid, started: startOf("self") })

export const describe = ({ host, pid }: Owner): string => `process ${pid} on ${host}`

/** Whether the process may still run. Another host cannot be asked: its processes count as running. */
export const mayRun = (owner: Owner): boolean => {
  if (owner.host !== hostname()) return true
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false
  }
  const started = startOf(owner.pid)
  return owner.started === "" || started === "" || started === owner.started
}
