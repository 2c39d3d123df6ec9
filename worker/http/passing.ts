// Errors that pass: storage or an object that cannot be reached for the moment. The platform says so by marks on the error. Pure.

/** What was asked is refused (DESIGN 7 I5), and may be asked again. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.message.startsWith('D1_ERROR') || Reflect.get(error, 'retryable') === true || Reflect.get(error, 'overloaded') === true
}
