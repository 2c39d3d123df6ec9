// Sign in with a passkey, and add one. WebAuthn Level 3, 5.1.8-5.1.10: options and answers travel as JSON.
// The server sends {options, state}; it gets back {state, response}. Nothing of it is kept here.
import { goOn, isCancelled, onClick, post, said, say, textIn } from './page.ts'

/** The server's options are read by the browser itself, which refuses what is not right. */
const begin = async <Options>(part: HTMLElement): Promise<{ options: Options; state: string }> => {
  const answer = await post(said(part, 'options'), said(part, 'csrf'), {})
  return { options: Reflect.get(Object(answer), 'options') as Options, state: textIn(answer, 'state') }
}

const finish = (part: HTMLElement, state: string, credential: Credential | null): Promise<unknown> => {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException('no credential', 'NotAllowedError')
  const next = part.dataset.next
  return post(said(part, 'finish'), said(part, 'csrf'), { state, response: credential.toJSON(), ...(next === undefined ? {} : { next }) })
}

const signIn = async (part: HTMLElement): Promise<void> => {
  const { options, state } = await begin<PublicKeyCredentialRequestOptionsJSON>(part)
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const answer = await finish(part, state, await navigator.credentials.get({ publicKey }))
  goOn(textIn(answer, 'next'))
}

const register = async (part: HTMLElement): Promise<void> => {
  const { options, state } = await begin<PublicKeyCredentialCreationOptionsJSON>(part)
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  await finish(part, state, await navigator.credentials.create({ publicKey }))
  say(part, said(part, 'done'))
}

// Browsers before these two functions sign in by mail.
const known =
  typeof PublicKeyCredential === 'function' &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function' &&
  typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function'

for (const part of document.querySelectorAll<HTMLElement>('[data-passkey]')) {
  const button = part.querySelector('button')
  if (!known || button === null) continue
  part.hidden = false
  onClick(button, async () => {
    say(part, '')
    try {
      await (part.dataset.passkey === 'register' ? register(part) : signIn(part))
    } catch (error) {
      say(part, said(part, isCancelled(error) ? 'cancelled' : 'failed'))
    }
  })
}
