import * as Metric from "effect/Metric"

/** Counts the events that an observer lost. */
export const dropped = Metric.counter("bidi_observer_dropped", {
  description: "Events that a hook or a subscriber did not get because it was too far behind",
  incremental: true
})

/** How many events an observer may be behind. Then the oldest is dropped: a slow observer costs memory, never time. */
export const OBSERVER_CAPACITY = 1024
