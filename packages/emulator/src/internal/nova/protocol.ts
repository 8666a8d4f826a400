/**
 * The events of a client and their fields.
 */
import { decimal, fields, flag, integer, isRecord, list, literals, record, Refused, text, unparsable } from "./check.ts"
import type { Check, Checked } from "./check.ts"

const plain = fields({ mediaType: literals("text/plain") }, {})

const rate: Check<number> = (value, path) =>
  value === 8000 || value === 16_000 || value === 24_000 ? value : unparsable(`${path} is not 8000, 16000 or 24000`)

const lpcm = {
  mediaType: literals("audio/lpcm"),
  sampleRateHertz: rate,
  sampleSizeBits: integer(16, 16),
  channelCount: integer(1, 1)
}

const spoken = { audioType: literals("SPEECH"), encoding: literals("base64") }

/** The top-level keys of a tool's schema, after "Defining a tool" in the user guide. References are not supported. */
const topOfSchema = new Set(["type", "properties", "required"])

const hasReference = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.some(hasReference)
  // a property may be called `$ref`; a reference is a string
  return isRecord(value) && (typeof value.$ref === "string" || Object.values(value).some(hasReference))
}

/** A JSON schema, written as text. */
const schema: Check<unknown> = (value, path) => {
  const written = text(value, path)
  if (written instanceof Refused) return written
  let parsed: unknown
  try {
    parsed = JSON.parse(written)
  } catch {
    return unparsable(`${path} is no JSON`)
  }
  if (!isRecord(parsed)) return unparsable(`${path} is no schema`)
  const unknown = Object.keys(parsed).find((key) => !topOfSchema.has(key))
  if (unknown !== undefined)
    return unparsable(`${path} has ${unknown} at the top: type, properties and required may be`)
  if (parsed.type !== "object") return unparsable(`${path} is not of the type object`)
  if (!isRecord(parsed.properties)) return unparsable(`${path} has no properties`)
  return hasReference(parsed.properties) ? unparsable(`${path} has a $ref`) : parsed
}

/** As the API reference has it for `ToolSpec.name`. */
const toolName: Check<string> = (value, path) => {
  const name = text(value, path)
  if (name instanceof Refused || /^[a-zA-Z0-9_-]{1,64}$/.test(name)) return name
  return unparsable(`${path} is not [a-zA-Z0-9_-]{1,64}`)
}

const toolChoice = fields({}, { auto: record, any: record, tool: fields({ name: text }, {}) })

const named = { promptName: text }
const placed = { promptName: text, contentName: text }

const events = {
  sessionStart: fields(
    {},
    {
      inferenceConfiguration: fields({}, { maxTokens: integer(1), topP: decimal(0, 1), temperature: decimal(0, 1) }),
      turnDetectionConfiguration: fields({}, { endpointingSensitivity: literals("HIGH", "MEDIUM", "LOW") })
    }
  ),
  promptStart: fields(
    { ...named, audioOutputConfiguration: fields({ ...lpcm, voiceId: text }, spoken) },
    {
      textOutputConfiguration: plain,
      toolUseOutputConfiguration: fields({ mediaType: literals("application/json") }, {}),
      toolConfiguration: fields(
        {
          tools: list(
            fields(
              {
                toolSpec: fields({ name: toolName, inputSchema: fields({ json: schema }, {}) }, { description: text })
              },
              {}
            )
          )
        },
        { toolChoice }
      )
    }
  ),
  contentStart: fields(
    {
      ...placed,
      type: literals("TEXT", "AUDIO", "TOOL"),
      role: literals("SYSTEM", "SYSTEM_SPEECH", "USER", "ASSISTANT", "TOOL")
    },
    {
      interactive: flag,
      textInputConfiguration: plain,
      audioInputConfiguration: fields(lpcm, spoken),
      toolResultInputConfiguration: fields(
        { toolUseId: text, type: literals("TEXT"), textInputConfiguration: plain },
        {}
      )
    }
  ),
  textInput: fields({ ...placed, content: text }, { role: text }),
  audioInput: fields({ ...placed, content: text }, { role: text }),
  toolResult: fields({ ...placed, content: text }, { role: text, status: text }),
  contentEnd: fields(placed, {}),
  promptEnd: fields(named, {}),
  sessionEnd: fields({}, {})
}

type Events = typeof events

export type SessionStart = Checked<Events["sessionStart"]>
export type PromptStart = Checked<Events["promptStart"]>
export type ContentStart = Checked<Events["contentStart"]>
/** `textInput`, `audioInput` and `toolResult`. */
export type Input = Checked<Events["textInput"]>

const any = fields({}, events)

export type ClientEvent = Checked<typeof any>

const envelope = fields({ event: any }, {})

/** An event of a client. It has exactly one field. */
export const clientEvent = (json: unknown): ClientEvent | Refused => {
  const checked = envelope(json, "")
  if (checked instanceof Refused) return checked
  return Object.keys(checked.event).length === 1 ? checked.event : unparsable("an event is one thing at a time")
}
