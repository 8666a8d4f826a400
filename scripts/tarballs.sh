#!/usr/bin/env bash
# Builds every package and puts its tarball into a folder, as they would go to the registry: tarballs.sh FOLDER
set -euo pipefail
if [ $# != 1 ]; then
  sed -n '2s/^# //p' "$0" >&2
  exit 64
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -b tsconfig.build.json
for package in packages/*/; do (cd "$package" && pnpm pack --pack-destination "$folder" >/dev/null); done
echo "${folder}: $(cd "$folder" && echo *.tgz)"
