// Who asks for what, in a sentence, for the dashboard and the popup.
import type { JSX } from 'preact'
import type { Answer, Asked } from '../messages.ts'
import type { Texts } from './texts.ts'
import { actions, personName, plain, thingName } from './words.ts'

/** The requests that wait for an answer; none while nothing is known. */
export const waitingIn = (answer: Answer<'requests'> | undefined): Asked[] =>
  answer?.ok ? answer.value.requests.filter(({ state }) => state === 'waiting') : []

/** One key over all servers. */
export const keyOf = ({ issuer, id }: Pick<Asked, 'issuer' | 'id'>): string => `${issuer} ${id}`

export const thingIn = (thing: Asked['things'][number], texts: Texts): string => thingName(thing.is_there ? thing : undefined, texts)

const namesOf = (asked: Asked, thing: Asked['things'][number], texts: Texts) => ({
  person: personName(asked.person, texts),
  thing: thingIn(thing, texts),
  actions: actions(thing.scopes, texts),
})

/** "Bob wants to view Lisbon.pdf.", one sentence a thing, names in bold. */
export const askedText = (asked: Asked, texts: Texts): JSX.Element[] =>
  asked.things.map((thing) => {
    const { person, thing: name, actions: verbs } = namesOf(asked, thing, texts)
    const bold = { person: <strong>{person}</strong>, thing: <strong>{name}</strong>, actions: verbs }
    return <span key={thing.id}>{texts.rich<string | JSX.Element>('request_sentence', bold)} </span>
  })

/** The same without bold, for a screen reader's announcement. */
export const askedWords = (asked: Asked, texts: Texts): string =>
  asked.things.map((thing) => texts.t('request_sentence', namesOf(asked, thing, texts))).join(' ')

/** Name of the app and where its site is: unverified, so a badge goes with it. */
export const appWords = ({ app, app_host }: Asked): string =>
  app_host === undefined || app_host === app ? plain(app) : `${plain(app)}, ${plain(app_host)}`

/** How the address was shown. */
export const shownWords = ({ method }: Asked, { t }: Texts): string | undefined => {
  if (method === 'email-code') return t('by_code')
  return method === 'dc+sd-jwt' ? t('by_wallet') : undefined
}
