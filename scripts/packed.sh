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
cat >talk.ts <<'TS'
import { NovaSonic } from "@effect-bidi/bedrock"
import { BidiAgent, BidiTools } from "@effect-bidi/core"
import { GeminiEmulator, NovaEmulator } from "@effect-bidi/emulator"
import * as OpenAiEmulator from "@effect-bidi/emulator/OpenAiEmulator"
import { GeminiLive } from "@effect-bidi/google"
import { OpenAiRealtime } from "@effect-bidi/openai"
import { Effect, Layer, Redacted } from "effect"

const options = { speed: Infinity, voice: "tones" } as const
const none = Redacted.make("none")
const credentials = { accessKeyId: none, secretAccessKey: none }

const models = {
  openai: Effect.map(OpenAiEmulator.make(options), ({ url }) => OpenAiRealtime.layer({ apiKey: none, baseUrl: url })),
  google: Effect.map(GeminiEmulator.make(options), ({ url }) => GeminiLive.layer({ apiKey: none, baseUrl: url })),
  bedrock: Effect.map(NovaEmulator.make(options), ({ url }) =>
    NovaSonic.layer({ region: "us-east-1", endpoint: url, credentials })
  )
}

const talk = Effect.gen(function* () {
  const agent = yield* BidiAgent.make({ toolkit: BidiTools.toolkit })
  const call = yield* agent.start()
  yield* call.send("Calculate 25 times 48")
  yield* call.idle
  const { content } = yield* call.history
  return JSON.stringify(content.at(-1)?.content)
}).pipe(Effect.scoped, Effect.provide(BidiTools.layer))

for (const [name, model] of Object.entries(models)) {
  const answer = await Effect.runPromise(Effect.provide(talk, Layer.unwrap(model)))
  if (!answer.includes("1200")) throw new Error(`${name}: ${answer}`)
  console.log(`packed: ${name}: ${answer}`)
}
TS
node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --target es2024 \
  --module nodenext --types "" talk.ts
node talk.ts
./node_modules/.bin/effect-bidi-emulator --help | grep -- --provider >/dev/null
if node -e 'import("@effect-bidi/core/internal/turn")' 2>/dev/null; then
  echo "packed: internal modules can be imported" >&2
  exit 1
fi
