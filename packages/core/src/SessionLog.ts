/**
 * The log of a session, and what it adds up to.
 *
 * A log only grows. Each process that opens a session gets an **epoch**, a number higher than all before; its records
 * carry it, and are numbered from 0 within it. {@link fold} is the one place that knows what a log means. It ignores a
 * record of an epoch that has been superseded, and a record that was written twice; so whoever lost a session without
 * noticing cannot change it, and whoever does not know whether a write arrived can repeat it.
 *
 * Everything here is a function from values to values. `SessionStore` keeps logs.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { CloseReason } from "./BidiEvent.ts"
import { type Approval, type Body, decode, type Record } from "./SessionRecord.ts"
import * as Transcript from "./Transcript.ts"

/**
 * The tokens that a session has used so far.
 *
 * @category models
 * @since 0.1.0
 */
export type Usage = Omit<Extract<Body, { readonly _tag: "Usage" }>, "_tag">

/**
 * A handle of the provider, and what it brings back.
 *
 * @category models
 * @since 0.1.0
 */
export interface RestoredHandle {
  readonly provider: string
  readonly model: string
  readonly handle: string
  /** The entries that the provider knows. */
  readonly ids: ReadonlySet<string>
  /** The calls among them of which it does not know the result. */
  readonly calls: ReadonlySet<string>
}

/**
 * What a log adds up to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Restored {
  /** The highest epoch so far, and how many records it has; 0 for a log without records. */
  readonly epoch: number
  readonly count: number
  readonly transcript: Transcript.Transcript
  /** The replies that are still being heard, as far as the log says. */
  readonly audible: ReadonlySet<string>
  readonly state: ReadonlyMap<string, Schema.Json>
  /** The agent, if it is another than the one that the session began with. */
  readonly profile: { readonly name: string; readonly instructions: string | undefined } | undefined
  readonly usage: Usage
  readonly handle: RestoredHandle | undefined
  /** What is known of the consent to calls that have no output. */
  readonly approvals: ReadonlyMap<string, Omit<typeof Approval.Type, "_tag" | "id">>
  /** How the last conversation ended, unless it goes on or was killed. */
  readonly closed: CloseReason | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// what a log means
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What records add up to, `onto` what earlier ones did. Records are in the order in which they were stored.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fold = (records: Iterable<Record>, onto: Restored = empty): Restored => {
  const folding = new Folding(onto)
  for (const record of records) folding.add(record)
  return folding.result()
}

/**
 * What a log without records adds up to.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Restored = {
  epoch: 0,
  count: 0,
  transcript: Transcript.empty,
  audible: new Set(),
  state: new Map(),
  profile: undefined,
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, byModality: [] },
  handle: undefined,
  approvals: new Map(),
  closed: undefined
}

/**
 * The line of a log that cannot be read where a record is missing, counted from 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface Corrupt {
  readonly line: number
  readonly problem: string
}

/**
 * The records that count, from the lines of a log. A line that cannot be read is passed over where no record is missing: a process was killed, or
 * its disk was full, while it wrote that line, and what it wrote next, or whoever opened the session next, goes on after
 * it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (lines: Iterable<string>): Result.Result<ReadonlyArray<Record>, Corrupt> => {
  const reading = new Reading()
  const records: Array<Record> = []
  for (const line of lines) {
    const read = reading.line(line)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    if (read.success !== undefined) records.push(read.success)
  }
  return Result.succeed(records)
}

// ---------------------------------------------------------------------------------------------------------------------
// record by record
// ---------------------------------------------------------------------------------------------------------------------

type Of<Tag extends Body["_tag"]> = Extract<Body, { readonly _tag: Tag }>

class Folding {
  private epoch: number
  private count: number
  private readonly entries: Map<string, Transcript.Entry>
  private readonly audible: Set<string>
  private readonly state: Map<string, Schema.Json>
  private readonly approvals: Map<string, Omit<Of<"Approval">, "_tag" | "id">>
  private profile: Restored["profile"]
  private usage: Usage
  private handle: RestoredHandle | (() => RestoredHandle) | undefined
  private closed: CloseReason | undefined

  constructor(onto: Restored) {
    this.epoch = onto.epoch
    this.count = onto.count
    this.entries = new Map(onto.transcript.map((entry) => [entry.id, entry]))
    this.audible = new Set(onto.audible)
    this.state = new Map(onto.state)
    this.approvals = new Map(onto.approvals)
    this.profile = onto.profile
    this.usage = onto.usage
    this.handle = onto.handle
    this.closed = onto.closed
  }

  add({ body, epoch, n }: Record): void {
    if (epoch < this.epoch) return // by somebody who has been superseded
    if (epoch > this.epoch) this.count = 0
    else if (n < this.count) return // written twice
    this.epoch = epoch
    this.count = n + 1
    if (body._tag !== "Opened") this.closed = undefined
    this.take(body)
  }

  result(): Restored {
    return {
      epoch: this.epoch,
      count: this.count,
      transcript: Array.from(this.entries.values()),
      audible: this.audible,
      state: this.state,
      profile: this.profile,
      usage: this.usage,
      handle: typeof this.handle === "function" ? this.handle() : this.handle,
      approvals: this.approvals,
      closed: this.closed
    }
  }

  private take(body: Body): void {
    switch (body._tag) {
      case "Opened":
        return
      case "Entry":
        return this.entry(body.entry)
      case "Heard":
        return this.heard(body)
      case "State":
        this.state.set(body.key, body.value)
        return
      case "Profile":
        this.profile = { name: body.name, instructions: body.instructions }
        return
      case "Usage":
        this.usage = sum(this.usage, body)
        return
      case "Connection":
        return
      case "Handle":
        this.handle = this.handleOf(body)
        return
      case "Approval": {
        const call = this.entries.get(body.id)
        if (call?._tag !== "ToolCall" || call.output !== undefined) return
        const { _tag, id, ...approval } = body
        this.approvals.set(id, approval)
        return
      }
      case "Closed":
        this.closed = body.reason
        return
    }
  }

  private entry(entry: Transcript.Entry): void {
    const { id } = entry
    this.entries.set(id, entry)
    if (entry._tag === "ToolCall" && entry.output !== undefined) this.approvals.delete(id)
    if (isAudible(entry)) this.audible.add(id)
    else this.audible.delete(id)
  }

  private heard({ chars, final, id, more = "" }: Of<"Heard">): void {
    const entry = this.entries.get(id)
    if (entry?._tag !== "Assistant") return
    const whole = (entry.full ?? entry.text) + more
    const text = whole.slice(0, chars)
    if (final) this.audible.delete(id)
    else this.audible.add(id)
    const { full: _, ...rest } = entry
    this.entries.set(id, final && text === whole ? { ...rest, text } : { ...rest, text, full: whole })
  }

  // How many entries there were is all there is to remember until somebody asks.
  private handleOf({ calls, handle, model, provider, without }: Of<"Handle">): (() => RestoredHandle) | undefined {
    if (handle === null) return undefined
    const known = this.entries.size
    return () => {
      const ids = new Set(Array.from(this.entries.keys()).slice(0, known))
      for (const id of without) ids.delete(id)
      return { provider, model, handle, ids, calls: new Set(calls) }
    }
  }
}

const isAudible = (entry: Transcript.Entry): entry is Transcript.Assistant =>
  entry._tag === "Assistant" && entry.full !== undefined && !entry.interrupted

const sum = (one: Usage, other: Usage): Usage => {
  const byModality = one.byModality.map((part) => ({ ...part }))
  for (const { inputTokens, modality, outputTokens } of other.byModality) {
    const part = byModality.find((part) => part.modality === modality)
    if (part === undefined) byModality.push({ modality, inputTokens, outputTokens })
    else {
      part.inputTokens += inputTokens
      part.outputTokens += outputTokens
    }
  }
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
    byModality,
    ...cached("cacheReadInputTokens", one, other),
    ...cached("cacheWriteInputTokens", one, other)
  }
}

const cached = (key: "cacheReadInputTokens" | "cacheWriteInputTokens", one: Usage, other: Usage) =>
  one[key] === undefined && other[key] === undefined ? {} : { [key]: (one[key] ?? 0) + (other[key] ?? 0) }

// ---------------------------------------------------------------------------------------------------------------------
// line by line
// ---------------------------------------------------------------------------------------------------------------------

class Reading {
  private epoch = 0
  private count = 0
  private lines = 0
  private unread: Corrupt | undefined // a line that is no record, if nothing is missing behind it

  /** The record of this line, if it is one that counts. */
  line(line: string): Result.Result<Record | undefined, Corrupt> {
    this.lines++
    if (line.trim() === "") return Result.succeed(undefined)
    const decoded = decode(line)
    if (Result.isFailure(decoded)) {
      this.unread ??= { line: this.lines, problem: decoded.failure }
      return Result.succeed(undefined)
    }
    const record = decoded.success
    const { epoch, n } = record
    if (epoch < this.epoch) return Result.succeed(undefined) // superseded: whatever is missing there
    const expected = epoch > this.epoch ? 0 : this.count
    if (n > expected) return Result.fail(this.unread ?? missing(this.lines, epoch, expected, n))
    this.unread = undefined
    this.epoch = epoch
    if (n < expected) return Result.succeed(undefined) // written twice
    this.count = n + 1
    return Result.succeed(record)
  }
}

const missing = (line: number, epoch: number, expected: number, n: number): Corrupt => ({
  line,
  problem: `record ${expected} of epoch ${epoch} is missing before record ${n}`
})
