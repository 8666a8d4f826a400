/**
 * Which turns of the user still want a reply. That is a fact of the turn: what stands behind it in the transcript, or does
 * not, says nothing about it. A reply may be empty, fail or be cut off, and some turns want none.
 */
export class UnansweredTurns {
  private readonly open = new Set<string>() // no reply to them has begun
  private readonly begun = new Set<string>() // the reply that is being generated is to them
  private readonly intoReply = new Set<string>() // said into a reply; they want one of their own if that was cut off by them

  /** The turns that want a reply, or the rest of one. */
  get ids(): ReadonlySet<string> {
    return new Set([...this.open, ...this.begun])
  }

  has(id: string): boolean {
    return this.open.has(id) || this.begun.has(id)
  }

  asked(id: string): void {
    this.intoReply.delete(id)
    this.open.add(id)
  }

  spokenInto(id: string): void {
    if (!this.has(id)) this.intoReply.add(id)
  }

  /** What was said into the reply has cut it off: it was meant. */
  interrupted(): void {
    for (const id of this.intoReply) this.open.add(id)
    this.intoReply.clear()
  }

  /** A reply begins, to all that was asked so far. */
  replyBegins(): void {
    for (const id of this.open) this.begun.add(id)
    this.open.clear()
    this.intoReply.clear()
  }

  /** The reply has ended: it is over, was cut off, or will not be gone on with. */
  replyEnds(): void {
    this.begun.clear()
  }

  /** Nobody wants a reply to this one any more. */
  settle(id: string): void {
    this.open.delete(id)
    this.begun.delete(id)
    this.intoReply.delete(id)
  }

  /** Nobody wants a reply to anything any more. */
  settleAll(): void {
    this.open.clear()
    this.begun.clear()
    this.intoReply.clear()
  }
}
