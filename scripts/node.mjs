/**
 * After every install: the scripts of this repository need a Node that runs TypeScript (22.18 or newer). Where the machine
 * has an older one, Node 24 comes from npm into `node_modules`, for this folder only; a machine that is up to date downloads
 * nothing. This file is JavaScript because it has to run on Node 20.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const modules = join(root, "node_modules")
const link = join(modules, ".bin", "node")
const [major, minor] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 18)) process.exit()

const wanted = /^nodeVersion: (.*)$/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))[1]
const folder = join(modules, `.node-${wanted}`)
const node = join(folder, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node")

if (!existsSync(node)) {
  console.log(`Node ${process.versions.node} cannot run TypeScript: downloading Node ${wanted} for this folder …`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), "{}\n")
  const npm = spawnSync("npm", ["install", "--silent", "--no-audit", "--no-fund", `node@${wanted}`], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32"
  })
  if (npm.status !== 0 || !existsSync(node)) {
    console.error(`Node ${wanted} could not be downloaded. Please install Node 22.18 or newer, and try again.`)
    process.exit(1)
  }
}

if (process.platform === "win32") writeFileSync(`${link}.cmd`, `@"${node}" %*\r\n`)
else {
  rmSync(link, { force: true })
  symlinkSync(node, link)
}
