import { Output, type OutputTag } from "../../BidiEvent.ts"

/** The tags of all output events. */
export const allTags: ReadonlyArray<OutputTag> = Output.members.map((member) => member.fields._tag.schema.literal)
