// What stands below an entry of the wallet's activity: what else was given, by which proof, with which app, at which service.
import { expect, it } from 'vitest'
import type { Happening } from '../../extension/messages.ts'
import { happeningMeta } from '../../extension/ui/happening.tsx'
import { textsIn } from '../../extension/ui/texts.ts'

const visit = {
  issuer: 'https://share.example',
  seq: 1,
  at: 1_776_000_000,
  event: 'access_granted',
  resource_id: 'a',
  thing: 'Lisbon.pdf',
  person: undefined,
  service: 'Vault',
  client_name: 'PhotoPrint',
  method: 'email-code',
} as Happening
const cells = (...ids: string[]) => ids.map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
const said = (more: Partial<Happening>, lang: 'en' | 'de' | 'pt' = 'en') => happeningMeta({ ...visit, ...more }, textsIn(lang))

it('UX, activity: an entry names one thing, and says how many more there are', () => {
  const rest = 'by mailed code · with PhotoPrint · at Vault'
  expect(said({})).toBe(rest)
  expect(said({ cells: cells('a') })).toBe(rest)
  expect(said({ cells: cells('a', 'b') })).toBe(`and 1 more thing · ${rest}`)
  expect(said({ cells: cells('b', 'a', 'b', 'c'), more_cells: 5 })).toBe(`and 7 more things · ${rest}`)
  expect(said({ cells: cells('a', 'b') }, 'de')).toMatch(/^und noch 1 Sache · /)
  expect(said({ cells: cells('a', 'b', 'c') }, 'pt')).toMatch(/^e mais 2 coisas · /)
})

it('POLICY 8d: of an emergency the owner hears as much as of any visit', () => {
  expect(said({ event: 'glass_broken' })).toBe(said({}))
  expect(said({ event: 'share_created', cells: cells('a', 'b') })).not.toContain('more')
})
