// The waiting page: looks for the owner's answer, goes on by itself when it is yes, shows what there is when it is no.
import { textIn } from './page.ts'

const LOOK_AFTER = 3000

/** Begins to look, if this is that page. @param part the element that says where to ask */
export const lookForAnswer = (part: HTMLElement): void => {
  const look = async (): Promise<void> => {
    const answer = await fetch(part.dataset.waiting ?? '', { credentials: 'same-origin', redirect: 'error' })
    const state = answer.ok ? textIn(await answer.json(), 'state') : 'no'
    if (state === 'waiting') return later()
    const form = document.querySelector<HTMLFormElement>('form[action$="/continue"]')
    if (state === 'yes' && form !== null) form.requestSubmit()
    else location.reload()
  }
  // A network that is away for a moment is no answer.
  const later = (): void => void setTimeout(() => void look().catch(later), LOOK_AFTER)
  later()
}
