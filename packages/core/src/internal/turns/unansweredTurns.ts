/**
 * The turns of the user that still await a reply. The transcript cannot tell, because a reply may be empty, fail or be cut
 * off, and some turns need none; so each turn is tracked here.
 */
export class UnansweredTurns {
  private readonly open = new Set<string>() // no reply has begun
  private readonly begun = new Set<string>() // the active reply answers them
  private readonly intoReply = new Set<string>() // spoken during a reply; they need one of their own if they cut it off

  /** The turns that await a reply, or the rest of one. */
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

  /** The speech during the reply has cut it off, so it needs a reply. */
  interrupted(): void {
    for (const id of this.intoReply) this.open.add(id)
    this.intoReply.clear()
  }

  /** A reply begins; it answers all turns so far. */
  replyBegins(): void {
    for (const id of this.open) this.begun.add(id)
    this.open.clear()
    this.intoReply.clear()
  }

  /** The reply is over, was cut off, or will not be continued. */
  replyEnds(): void {
    this.begun.clear()
  }

  /** This turn needs no reply any more. */
  settle(id: string): void {
    this.open.delete(id)
    this.begun.delete(id)
    this.intoReply.delete(id)
  }

  /** No turn needs a reply any more. */
  settleAll(): void {
    this.open.clear()
    this.begun.clear()
    this.intoReply.clear()
  }
}
