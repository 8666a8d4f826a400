/**
 * Frames of the real services, as people recorded them or as the provider documents them: one a line, with its origin.
 */
import { readFileSync } from "node:fs"
import type { Json } from "./nova.ts"

export interface Recorded {
  readonly scene: string
  /** Where it was read. */
  readonly origin: string
  /** Recorded, or of the documented shape. */
  readonly kind: "recorded" | "shape"
  readonly event?: Json
  /** The same of a WebSocket. */
  readonly frame?: Json & { readonly type: string }
  readonly close?: { readonly code: number; readonly reason: string }
  readonly stage?: "setup" | "live"
  /** The reason that an exception is told as. */
  readonly expect?: string
  readonly exception?: { readonly name: string; readonly message: string }
}

export const recorded = (provider: "nova" | "openai" | "gemini"): ReadonlyArray<Recorded> =>
  readFileSync(new URL(`../fixtures/${provider}.jsonl`, import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recorded)

/** The names of all fields, however deep, in the order of the alphabet; what JSON in a text has is looked at as well. */
export const keysOf = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string" && value.startsWith("{")) return keysOf(JSON.parse(value))
  if (typeof value !== "object" || value === null || Array.isArray(value)) return []
  return Object.entries(value)
    .flatMap(([key, inner]) => [key, ...keysOf(inner).map((rest) => `${key}.${rest}`)])
    .toSorted()
}
