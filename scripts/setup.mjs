/**
 * After every install, what a registry does not hold ready for this machine, side by side and in one line each:
 *
 * - Node 24, where the machine's own Node cannot run TypeScript (older than 22.18). It comes from npm, for this folder only.
 * - PortAudio's binding, for microphone and speakers. Everything else works without it.
 *
 * This file is JavaScript because it has to run on Node 20.
 */
import { spawn } from "node:child_process"
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const modules = join(root, "node_modules")
const windows = process.platform === "win32"

/** Runs npm in a folder, with what it says in a file; returns whether it succeeded. */
const npm = (folder, log, ...args) =>
  new Promise((resolve) => {
    const child = spawn("npm", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], shell: windows })
    const file = createWriteStream(log)
    child.stdout.pipe(file)
    child.stderr.pipe(file)
    child.on("error", () => resolve(false))
    child.on("close", (code) => resolve(code === 0))
  })

const node = async () => {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return true
  const wanted = /^nodeVersion: (.*)$/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))[1]
  const folder = join(modules, `.node-${wanted}`)
  const program = join(folder, "node_modules", "node", "bin", windows ? "node.exe" : "node")
  const link = join(modules, ".bin", "node")
  if (!existsSync(program)) {
    console.log(`Node ${process.versions.node} cannot run TypeScript: downloading Node ${wanted} for this folder …`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "package.json"), "{}\n")
    const log = join(folder, "npm.log")
    if (!(await npm(folder, log, "install", "--no-audit", "--no-fund", `node@${wanted}`)) || !existsSync(program)) {
      console.error(`Node ${wanted} could not be downloaded (${log}). Install Node 22.18 or newer, and try again.`)
      return false
    }
  }
  rmSync(link, { force: true })
  if (windows) writeFileSync(`${link}.cmd`, `@"${program}" %*\r\n`)
  else symlinkSync(program, link)
  return true
}

const portAudio = async () => {
  const link = join(root, "packages", "audio", "node_modules", "naudiodon")
  if (!existsSync(link)) return // optional: there is none for this system
  const folder = realpathSync(link)
  const log = join(folder, "build.log")
  if (existsSync(join(folder, "build", "Release", "naudiodon.node"))) return
  console.log("Building PortAudio's binding for microphone and speakers …")
  if (await npm(folder, log, "run", "install")) return
  console.log(`It could not be built (${log}): only --voice misses it, and on Linux PulseAudio's programs do as well.`)
}

const [ready] = await Promise.all([node(), portAudio()])
if (!ready) process.exitCode = 1
