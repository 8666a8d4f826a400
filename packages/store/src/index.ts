/**
 * Durable session logs for effect-bidi. `S3SessionStore` and `SqliteClient` are modules of their own.
 *
 * @since 0.1.0
 */
export * as FileSessionStore from "./FileSessionStore.ts"
export * as KeyValueSessionStore from "./KeyValueSessionStore.ts"
export * as SqlSessionStore from "./SqlSessionStore.ts"
