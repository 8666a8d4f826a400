/**
 * The three time limits of a stream.
 */
import type { Step } from "./step.ts"

/** Timers check the time when they fire, so that they need not be restarted for every frame of audio. */
const lookLater = (step: Step, key: "input" | "silence", at: number): void =>
  step.do({ _tag: "Wake", key, afterMs: Math.max(0, at - step.now) })

export const startLimits = (step: Step): void => {
  const { inputMs, sessionMs, silenceMs } = step.setup
  step.do({ _tag: "Wake", key: "session", afterMs: sessionMs })
  lookLater(step, "input", step.now + inputMs)
  lookLater(step, "silence", step.now + silenceMs)
}

/** The stream has reached its time limit. */
export const timeOut = (step: Step): void =>
  step.fail("modelTimeoutException", "Model has timed out in processing the request. Try your request again.")

/** Returns whether the timer was one of these. */
export const onWoken = (step: Step, key: string): boolean => {
  const { inputMs, silenceMs } = step.setup
  switch (key) {
    case "session":
      timeOut(step)
      return true
    case "input": {
      const until = step.state.inputAt + inputMs
      if (step.now < until) lookLater(step, key, until)
      else step.refuse("Timed out waiting for input events")
      return true
    }
    case "silence": {
      const until = step.state.wordAt + silenceMs
      if (step.now < until) lookLater(step, key, until)
      else step.refuse("InternalErrorCode=531::RST_STREAM closed stream. HTTP/2 error code: NO_ERROR")
      return true
    }
    default:
      return false
  }
}
