/**
 * The tags of all output events.
 */
import { Output, type OutputTag } from "../../BidiEvent.ts"

export const allTags: ReadonlyArray<OutputTag> = Output.members.map((member) => member.fields._tag.schema.literal)
