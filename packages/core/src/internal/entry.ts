/**
 * The schemas of what a history is made of, which both `Transcript` and `BidiEvent` name.
 */
import * as Schema from "effect/Schema"

export const ImageInput = Schema.TaggedStruct("ImageInput", {
  image: Schema.Uint8Array,
  mimeType: Schema.String
})

export const User = Schema.TaggedStruct("User", {
  id: Schema.String,
  parts: Schema.Array(Schema.Union([Schema.String, ImageInput]))
})

export const Assistant = Schema.TaggedStruct("Assistant", {
  id: Schema.String,
  responseId: Schema.String,
  text: Schema.String,
  interrupted: Schema.Boolean,
  full: Schema.optionalKey(Schema.String)
})

export const ToolCall = Schema.TaggedStruct("ToolCall", {
  id: Schema.String,
  responseId: Schema.String,
  name: Schema.String,
  input: Schema.Json,
  output: Schema.optionalKey(Schema.Struct({ result: Schema.Json, isFailure: Schema.Boolean }))
})

export const Note = Schema.TaggedStruct("Note", { id: Schema.String, text: Schema.String })

export const Entry = Schema.Union([User, Assistant, ToolCall, Note])
