// Calls of an object, and their answers, as text. The runtime copies an object from one isolate to the other for about as much as the whole
// rest of a call costs; text it copies for next to nothing. For the calls that every use of a thing makes.

declare const value: unique symbol
/** JSON of a T. */
export type TextOf<T> = string & { readonly [value]?: T }

export const textOf = <T>(what: T): TextOf<T> => JSON.stringify(what)
/** Only for text that this server's own code has just made: nothing is checked. */
export const fromText = <T>(text: TextOf<T>): T => JSON.parse(text) as T
