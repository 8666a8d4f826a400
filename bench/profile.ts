/**
 * A CPU profile of what is measured, and of nothing else.
 */
import { writeFile } from "node:fs/promises"
import { Session } from "node:inspector/promises"
import { basename, join } from "node:path"

/** Starts a profile where a directory for it is given; the answer ends it. */
export const profile = async (directory: string | undefined): Promise<() => Promise<void>> => {
  if (directory === undefined) return () => Promise.resolve()
  const session = new Session()
  session.connect()
  await session.post("Profiler.enable")
  await session.post("Profiler.setSamplingInterval", { interval: 500 })
  await session.post("Profiler.start")
  return async () => {
    const { profile } = await session.post("Profiler.stop")
    session.disconnect()
    const name = basename(process.argv[1]!, ".ts")
    await writeFile(join(directory, `${name}-${process.pid}.cpuprofile`), JSON.stringify(profile))
  }
}
