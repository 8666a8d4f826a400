/** The parser of the calculator, in a module of its own because it is half a megabyte: it is loaded when it is used. */
import { all, create } from "mathjs/number"

export const { format, parse } = create(all!)
