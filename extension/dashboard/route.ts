// The hash of the dashboard as a route. Unknown hashes lead to the first section.
import { useEffect, useState } from 'preact/hooks'

const NAMES = ['shared', 'share', 'thing', 'person', 'requests', 'activity', 'services', 'proofs', 'settings', 'connect'] as const
export type Route = { name: (typeof NAMES)[number]; id: string | undefined }

const decoded = (text: string | undefined): string | undefined => {
  try {
    return text === undefined || text === '' ? undefined : decodeURIComponent(text)
  } catch {
    // A broken escape is no id of anything.
    return undefined
  }
}

/** `#/thing/<id>` -> { name: 'thing', id } */
export const routeOf = (hash: string): Route => {
  const [, first = '', second] = hash.replace(/^#/, '').split('/')
  const name = NAMES.find((known) => known === first)
  return name === undefined ? { name: 'shared', id: undefined } : { name, id: decoded(second) }
}

export const useRoute = (): Route => {
  const [route, setRoute] = useState(() => routeOf(location.hash))
  useEffect(() => {
    const follow = (): void => setRoute(routeOf(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return route
}

export const go = (hash: string): void => {
  location.hash = hash
}
