/**
 * Messages of the real service, as people recorded them or as its documentation shows them; each says where it is from.
 */
import { readFileSync } from "node:fs"
import type { Json } from "./server.ts"

interface Recorded {
  readonly scene: string
  readonly origin: string
  readonly frame?: Json
  readonly close?: { readonly code: number; readonly reason: string }
  readonly stage?: "setup" | "live"
  readonly expect?: string
}

export const recorded: ReadonlyArray<Recorded> = readFileSync(
  new URL("../../../emulator/test/fixtures/gemini.jsonl", import.meta.url),
  "utf8"
)
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Recorded)

export const frames = (scene: string): ReadonlyArray<Json> =>
  recorded.flatMap((one) => (one.scene === scene && one.frame !== undefined ? [one.frame] : []))

export const closes = recorded.flatMap(({ close, expect = "", stage = "live" }) =>
  close === undefined ? [] : [{ ...close, stage, expect }]
)
