/**
 * What a process costs between two moments.
 */

/** In parts of one core: 1 is a core that does nothing else. */
export interface Load {
  readonly cpu: number
  /** The part of the time the event loop was not waiting. */
  readonly busy: number
  readonly seconds: number
}

/** Starts to measure; the answer tells. */
export const measure = (): (() => Load) => {
  const started = performance.now()
  const usage = process.cpuUsage()
  const loop = performance.eventLoopUtilization()
  return () => {
    const millis = performance.now() - started
    const { system, user } = process.cpuUsage(usage)
    const { utilization } = performance.eventLoopUtilization(loop)
    return { cpu: (user + system) / 1000 / millis, busy: utilization, seconds: millis / 1000 }
  }
}

/** Bytes. */
export interface Memory {
  readonly rss: number
  /** Objects and buffers that are alive. */
  readonly live: number
}

/** Memory without garbage. The process must run with `--expose-gc`. */
export const memory = async (): Promise<Memory> => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  return { rss, live: heapUsed + arrayBuffers }
}
