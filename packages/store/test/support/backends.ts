/**
 * The backends, each by the name under which a child process makes it too. Loaded when asked for: a child starts often.
 */
import { SessionStore } from "@effect-bidi/core"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Scope from "effect/Scope"
import { join } from "node:path"

export const names = ["file", "sqlite", "postgres", "keyValue", "s3"] as const

export type Name = (typeof names)[number]

/** `place` is a folder; for `postgres` and `s3` a URL. */
const layerOf = async (name: Name, place: string): Promise<Layer.Layer<never, unknown>> => {
  switch (name) {
    case "file": {
      const { layer } = await import("@effect-bidi/store/FileSessionStore")
      return Layer.provide(layer({ directory: join(place, "sessions") }), NodeServices.layer)
    }
    case "sqlite": {
      const { layer } = await import("@effect-bidi/store/SqlSessionStore")
      const sqlite = await import("@effect-bidi/store/SqliteClient")
      return Layer.provide(layer(), sqlite.layer({ filename: join(place, "sessions.sqlite") }))
    }
    case "postgres": {
      const { layer } = await import("@effect-bidi/store/SqlSessionStore")
      const { client } = await import("./postgres.ts")
      return Layer.provide(layer(), client(place))
    }
    case "keyValue": {
      const { layer } = await import("@effect-bidi/store/KeyValueSessionStore")
      const files = Layer.provide(KeyValueStore.layerFileSystem(join(place, "values")), NodeServices.layer)
      return Layer.provide(layer, files)
    }
    case "s3": {
      const { layer } = await import("@effect-bidi/store/S3SessionStore")
      const { clientOf } = await import("./s3.ts")
      return layer({ client: clientOf(place), bucket: "calls" })
    }
  }
}

export const storeOf = (name: Name, place: string): Effect.Effect<SessionStore.Store, unknown, Scope.Scope> =>
  Effect.promise(() => layerOf(name, place)).pipe(
    Effect.flatMap(Layer.build),
    Effect.flatMap((context) => Effect.provideContext(SessionStore.SessionStore, context)),
    Effect.map((store) => store!)
  )
