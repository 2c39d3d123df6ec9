// Which methods a path has, from the routes that are mounted: for 405 with Allow, and for OPTIONS (RFC 9110 9.3.7, 15.5.6). Pure.

/** A mounted route, as Hono lists it. `ALL` marks middleware, which answers nothing by itself. */
export type MountedRoute = { method: string; path: string }

/** The methods of `path`, as the router sees it (without a slash at the end), in the order they were mounted, HEAD beside GET; empty if the path does not exist. */
export function methodsOf(routes: readonly MountedRoute[], path: string): string[] {
  const asked = segmentsOf(path)
  const found = new Set<string>()
  for (const route of routes) {
    if (route.method === 'ALL' || !fits(segmentsOf(route.path), asked)) continue
    found.add(route.method)
    if (route.method === 'GET') found.add('HEAD')
  }
  return [...found]
}

const segmentsOf = (path: string): string[] => path.split('/')

function fits(pattern: readonly string[], asked: readonly string[]): boolean {
  if (pattern.length !== asked.length) return false
  return pattern.every((part, i) => (part.startsWith(':') ? fitsParameter(part, asked[i] ?? '') : part === asked[i]))
}

/** `:name` is anything but nothing; `:name{pattern}` is what the pattern says. */
function fitsParameter(part: string, text: string): boolean {
  const pattern = /\{(.*)\}$/.exec(part)?.[1]
  return pattern === undefined ? text !== '' : new RegExp(`^(?:${pattern})$`).test(text)
}
