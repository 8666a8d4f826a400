/**
 * The environment of the AWS SDK, empty but for what a test puts into it.
 */
import { vi } from "@effect/vitest"
import * as Effect from "effect/Effect"

const names = [
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_PROFILE",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_WEB_IDENTITY_TOKEN_FILE"
]

/** For the time of a test. */
export const environment = (values: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      for (const name of names) vi.stubEnv(name, undefined)
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true")
      vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent/config")
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
      for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value)
    }),
    () => Effect.sync(() => vi.unstubAllEnvs())
  )
