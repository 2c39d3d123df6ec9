// The copy button beside a code. It shows itself where the clipboard can be written.
import { onClick, said, say } from './page.ts'

for (const part of document.querySelectorAll<HTMLElement>('[data-copy]')) {
  const button = part.querySelector('button')
  const text = part.querySelector('output')?.textContent?.trim()
  if (button === null || text === undefined || navigator.clipboard === undefined) continue
  button.hidden = false
  onClick(button, async () => {
    try {
      await navigator.clipboard.writeText(text)
      say(part, said(part, 'done'))
    } catch {
      // The browser refused; the person is told to copy by hand.
      say(part, said(part, 'failed'))
    }
  })
}
