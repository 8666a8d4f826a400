#!/usr/bin/env bash
# Packs every package and uses the tarballs in a plain npm project, as a user of the registry would.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$root"
pnpm build
for package in packages/*/; do (cd "$package" && pnpm pack --pack-destination "$work" >/dev/null); done

cd "$work"
effect=$(node -p "require('$root/node_modules/effect/package.json').version")
npm init -y >/dev/null
npm pkg set type=module >/dev/null
npm install --silent --no-audit --no-fund "effect@$effect" ./*.tgz
cat >talk.js <<'JS'
import { BidiAgent, BidiTools } from "@effect-bidi/core"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import { OpenAiRealtime } from "@effect-bidi/openai"
import { Effect, Layer, Redacted } from "effect"

const Model = Layer.unwrap(
  Effect.map(OpenAiEmulator.make({ speed: Infinity, voice: "tones" }), ({ url }) =>
    OpenAiRealtime.layer({ apiKey: Redacted.make("none"), baseUrl: url })
  )
)
const program = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ toolkit: BidiTools.toolkit })
  const call = yield* agent.start()
  yield* call.send("Calculate 25 times 48")
  yield* call.idle
  const { content } = yield* call.history
  return content.at(-1).content[0].text
}).pipe(Effect.scoped, Effect.provide([Model, BidiTools.layer]))

const answer = await Effect.runPromise(program)
if (!answer.includes("1200")) throw new Error(answer)
console.log(`packed: ${answer}`)
JS
node talk.js
if node -e 'import("@effect-bidi/core/internal/turn")' 2>/dev/null; then
  echo "packed: internal modules can be imported" >&2
  exit 1
fi
