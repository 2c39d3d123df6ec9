// What a wallet says of an app or a service before its person decides (SPECS S0-6): the server's own words, no more, and nothing that turns.
import { expect, it } from 'vitest'
import '../support/fake-browser.ts'
import { textsIn } from '../../extension/ui/texts.ts'
import { knownWords } from '../../extension/ui/words.ts'

const SINCE = Date.UTC(2026, 3, 19, 12) / 1000
const at = 'share.example'
const of = (known: Parameters<typeof knownWords>[0], language: 'en' | 'de' | 'pt' = 'en'): string =>
  knownWords(known, at, textsIn(language))

it('SPECS S0-6: pushed, pulled or vouched for, since when, and its page', () => {
  expect(of({ by: 'push', since: SINCE })).toBe('It registered itself at share.example on 19 April 2026.')
  expect(of({ by: 'document', host: 'app.example', uri: 'https://app.example/about' })).toBe(
    'It describes itself at app.example. Its page: https://app.example/about',
  )
  expect(of({ by: 'statement', issuer: 'https://directory.example', since: SINCE })).toBe(
    'https://directory.example vouches for its name; registered at share.example on 19 April 2026.',
  )
  for (const language of ['de', 'pt'] as const) expect(of({ by: 'push', since: SINCE }, language)).toMatch(/share\.example/)
})

it('EX-08: a name that turns the writing, or that never ends, is cut', () => {
  expect(of({ by: 'document', host: `a\u202eb${'x'.repeat(1000)}` })).toBe(`It describes itself at ab${'x'.repeat(118)}.`)
})
