/**
 * The measured side of a child process: it answers what its parent asks, one after the other, and does not outlive it.
 */
export type Answers = Readonly<Record<string, () => unknown>>

/** After `stop` was answered the process ends by itself, unless something in it leaks. */
export const answer = (answers: Answers & { readonly stop: () => unknown }): void => {
  const orphaned = () => process.exit(1)
  // Ctrl+C reaches the whole group; the parent decides
  process.on("SIGINT", () => {})
  process.on("disconnect", orphaned)
  process.on("message", async (question: string) => {
    const value = await answers[question]!()
    process.send!(value ?? null, () => {
      if (question !== "stop") return
      process.off("disconnect", orphaned)
      process.disconnect()
    })
  })
  process.send!("ready")
}

export const argument = (index: number): string => process.argv[index + 2]!
