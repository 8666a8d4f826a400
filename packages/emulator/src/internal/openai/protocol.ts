/**
 * The events that a client of the OpenAI Realtime API may send.
 */
import * as Check from "./check.ts"
import type { Checked } from "./check.ts"

const { decimal, fields, flag, integer, list, literals, nullable, record, tagged, text } = Check

const word = <const A extends string>(value: A) => literals(value)

const audioFormat = tagged("type", {
  "audio/pcm": fields({ type: word("audio/pcm") }, { rate: integer(24_000, 24_000) }),
  "audio/pcmu": fields({ type: word("audio/pcmu") }, {}),
  "audio/pcma": fields({ type: word("audio/pcma") }, {})
})
export type AudioFormat = Checked<typeof audioFormat>

const itemFields = {
  id: text,
  object: word("realtime.item"),
  status: literals("completed", "incomplete", "in_progress")
}

const inputText = fields({ type: word("input_text"), text }, {})
const userContent = tagged("type", {
  input_text: inputText,
  input_audio: fields({ type: word("input_audio"), audio: text }, { transcript: nullable(text) }),
  input_image: fields({ type: word("input_image"), image_url: text }, { detail: literals("auto", "low", "high") })
})
// clients use each of these for text of the assistant
const assistantContent = tagged("type", {
  output_text: fields({ type: word("output_text"), text }, {}),
  text: fields({ type: word("text"), text }, {}),
  output_audio: fields({ type: word("output_audio"), transcript: text }, {})
})

const message = { type: word("message") }
const item = tagged("type", {
  message: tagged("role", {
    user: fields({ ...message, role: word("user"), content: list(userContent) }, itemFields),
    assistant: fields({ ...message, role: word("assistant"), content: list(assistantContent) }, itemFields),
    system: fields(
      { ...message, role: word("system"), content: list(tagged("type", { input_text: inputText })) },
      itemFields
    )
  }),
  function_call: fields({ type: word("function_call"), name: text, arguments: text }, { ...itemFields, call_id: text }),
  function_call_output: fields({ type: word("function_call_output"), call_id: text, output: text }, itemFields)
})
export type NewItem = Checked<typeof item>

const itemOrReference = Check.either(
  (value) => Check.isRecord(value) && value.type === "item_reference",
  fields({ type: word("item_reference"), id: text }, {}),
  item
)

const tool = tagged("type", {
  function: fields(
    { type: word("function"), name: text },
    { description: text, parameters: record, strict: nullable(flag) }
  )
})

const toolChoice = Check.either(
  Check.isText,
  literals("auto", "none", "required"),
  tagged("type", { function: fields({ type: word("function"), name: text }, {}) })
)

const voice = Check.either(Check.isText, text, fields({ id: text }, {}))
const maxOutputTokens = Check.either(Check.isText, word("inf"), integer(1, 4096))
const effort = literals("minimal", "low", "medium", "high", "xhigh")
const reasoning = fields({}, { effort })
const modalities: Check.Check<readonly ["audio"] | readonly ["text"]> = (value, path) => {
  const some = list(literals("audio", "text"))(value, path)
  if (some instanceof Check.Refused) return some
  if (some.length === 1) return [some[0]!] as readonly ["audio"] | readonly ["text"]
  return new Check.Refused(
    "invalid_value",
    `Invalid value: '${path}' must be exactly one of ['text'] and ['audio'].`,
    path
  )
}

const responseParams = fields(
  {},
  {
    instructions: text,
    output_modalities: modalities,
    tools: list(tool),
    tool_choice: toolChoice,
    parallel_tool_calls: flag,
    max_output_tokens: maxOutputTokens,
    metadata: nullable(record),
    conversation: literals("auto", "none"),
    input: list(itemOrReference),
    audio: fields({}, { output: fields({}, { format: audioFormat, voice }) }),
    prompt: nullable(record),
    reasoning
  }
)
export type ResponseParams = Checked<typeof responseParams>

const silence = fields(
  { type: word("server_vad") },
  {
    threshold: decimal(0, 1),
    prefix_padding_ms: integer(0),
    silence_duration_ms: integer(0),
    create_response: flag,
    interrupt_response: flag,
    idle_timeout_ms: nullable(integer(5000, 30_000))
  }
)
const semantic = fields(
  { type: word("semantic_vad") },
  { eagerness: literals("low", "medium", "high", "auto"), create_response: flag, interrupt_response: flag }
)
const truncation = Check.either(
  Check.isText,
  literals("auto", "disabled"),
  tagged("type", {
    retention_ratio: fields({ type: word("retention_ratio"), retention_ratio: decimal(0, 1) }, { token_limits: record })
  })
)

const sessionParams = tagged("type", {
  realtime: fields(
    { type: word("realtime") },
    {
      model: text,
      instructions: text,
      output_modalities: modalities,
      tools: list(tool),
      tool_choice: toolChoice,
      parallel_tool_calls: flag,
      max_output_tokens: maxOutputTokens,
      reasoning,
      truncation,
      prompt: nullable(record),
      tracing: nullable(Check.either(Check.isText, word("auto"), record)),
      include: nullable(list(word("item.input_audio_transcription.logprobs"))),
      audio: fields(
        {},
        {
          input: fields(
            {},
            {
              format: audioFormat,
              transcription: nullable(
                fields(
                  {},
                  {
                    model: text,
                    language: nullable(text),
                    prompt: nullable(text),
                    languages: list(text),
                    keywords: list(text),
                    delay: effort
                  }
                )
              ),
              noise_reduction: nullable(
                fields({}, { type: literals("near_field", "far_field"), strength: decimal(0, 1) })
              ),
              turn_detection: nullable(tagged("type", { server_vad: silence, semantic_vad: semantic }))
            }
          ),
          output: fields({}, { format: audioFormat, voice, speed: decimal(0.25, 1.5) })
        }
      )
    }
  )
})
export type SessionParams = Checked<typeof sessionParams>

const event = { event_id: text }
const named = <const A extends string>(type: A) => ({ type: word(type) })

const clientEvents = {
  "session.update": fields({ ...named("session.update"), session: sessionParams }, event),
  "input_audio_buffer.append": fields({ ...named("input_audio_buffer.append"), audio: text }, event),
  "input_audio_buffer.commit": fields(named("input_audio_buffer.commit"), event),
  "input_audio_buffer.clear": fields(named("input_audio_buffer.clear"), event),
  "conversation.item.create": fields(
    { ...named("conversation.item.create"), item },
    { ...event, previous_item_id: nullable(text) }
  ),
  "conversation.item.truncate": fields(
    {
      ...named("conversation.item.truncate"),
      item_id: text,
      content_index: integer(0),
      audio_end_ms: integer(0)
    },
    event
  ),
  "conversation.item.delete": fields({ ...named("conversation.item.delete"), item_id: text }, event),
  "conversation.item.retrieve": fields({ ...named("conversation.item.retrieve"), item_id: text }, event),
  "response.create": fields(named("response.create"), { ...event, response: responseParams }),
  "response.cancel": fields(named("response.cancel"), { ...event, response_id: text })
}

/** Checks an event of a client. Unknown types are refused with the list of known ones. */
export const clientEvent = tagged("type", clientEvents)
export type ClientEvent = Checked<typeof clientEvent>
