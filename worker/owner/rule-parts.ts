// A condition as a tree: all, any, seq, not, if, and atoms below them. One walk for both directions, from what people write to what the
// engine reads and back.

export type Tree<Atom> =
  | { all: readonly Tree<Atom>[] }
  | { any: readonly Tree<Atom>[] }
  | { seq: readonly Tree<Atom>[] }
  | { not: Tree<Atom> }
  | { if: Tree<Atom>; then: Tree<Atom>; else: Tree<Atom> }
  | Atom

const BRANCHES = ['all', 'any', 'seq', 'not', 'if']
const isAtom = <Atom extends object>(one: Tree<Atom>): one is Atom => !BRANCHES.some((name) => name in one)

/** The same tree with other atoms. */
export function mapAtoms<A extends object, B extends object>(tree: Tree<A>, atom: (one: A) => B): Tree<B> {
  const map = (one: Tree<A>): Tree<B> => mapAtoms(one, atom)
  if (isAtom(tree)) return atom(tree)
  if ('all' in tree) return { all: tree.all.map(map) }
  if ('any' in tree) return { any: tree.any.map(map) }
  if ('seq' in tree) return { seq: tree.seq.map(map) }
  return 'not' in tree ? { not: map(tree.not) } : { if: map(tree.if), then: map(tree.then), else: map(tree.else) }
}

/** All atoms, in the order in which they are written. */
export function atomsOf<A extends object>(tree: Tree<A>): A[] {
  const atoms: A[] = []
  mapAtoms(tree, (one) => {
    atoms.push(one)
    return one
  })
  return atoms
}

/** How deep parsed JSON is nested; looks no further than `most`. Without recursion: this is asked before anything trusts the depth. */
export function isDeeper(value: unknown, most: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}
