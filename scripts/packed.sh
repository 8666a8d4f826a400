#!/usr/bin/env bash
# Packs every package and uses the tarballs in a plain npm project, as a user of the registry would.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/scripts/tarballs.sh" "$work"
for tarball in "$work"/*.tgz; do
  tar -tzf "$tarball" | grep -x package/README.md >/dev/null || { echo "packed: $tarball has no README" >&2; exit 1; }
done

node "$root/scripts/snippets.ts"
cd "$work"
effect=$(node -p "require('$root/node_modules/effect/package.json').version")
npm init -y >/dev/null
npm pkg set type=module >/dev/null
npm install --silent --no-audit --no-fund "effect@$effect" "@effect/platform-node@$effect" ./*.tgz
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
  yield* call.awaitIdle
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

# the README's program: as it is pasted, and bundled with the flag that the guide names
cp "$root/examples/snippets/$(cd "$root/examples/snippets" && ls README.md.*.ts | sort -V | head -1)" pasted.ts
node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --target es2024 \
  --module nodenext --types "" pasted.ts
esbuild() { "$root/node_modules/.bin/esbuild" --log-level=warning --bundle --format=esm "$@"; }
esbuild pasted.ts --platform=node --outfile=bundled.mjs \
  --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
for program in pasted.ts bundled.mjs; do
  printf '%s\n' "Calculate 25 times 48" "stop conversation" | node "$program" | grep -F "The answer is 1200." >/dev/null
  echo "packed: $program talks"
done

# core for a browser: nothing of Node is left in it
echo 'export * from "@effect-bidi/core"' >browser.ts
esbuild browser.ts --platform=browser --outfile=browser.mjs
node -e 'import("./browser.mjs").then(({ BidiAgent }) => console.log(`packed: a browser has ${Object.keys(BidiAgent)}`))'

if node -e 'import("@effect-bidi/core/internal/turns/receive")' 2>/dev/null; then
  echo "packed: internal modules can be imported" >&2
  exit 1
fi
