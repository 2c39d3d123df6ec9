// The forms of the developers' page: each sends one request to this origin, without cookies, and shows the answer as text.

/** `METHOD /path` of a form, or of the call that is chosen in it. */
const callOf = (form: HTMLFormElement, data: FormData): { method: string; path: string } => {
  const [method = 'GET', path = '/'] = String(data.get('call') ?? form.dataset.try ?? '').split(' ')
  return { method, path }
}

const requestOf = (path: string, method: string, data: FormData): RequestInit => {
  const token = String(data.get('token') ?? '').trim()
  const body = method === 'GET' ? '' : String(data.get('body') ?? '')
  return {
    method,
    // As a program would: nothing that this browser knows goes along.
    credentials: 'omit',
    redirect: 'manual',
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(method === 'GET' ? {} : { 'content-type': path === '/introspect' ? 'application/x-www-form-urlencoded' : 'application/json' }),
    },
    ...(method === 'GET' ? {} : { body }),
  }
}

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text // no JSON: as it came
  }
}

const show = (form: HTMLFormElement, status: string, answer: string): void => {
  for (const [selector, text] of [
    ['[data-status]', status],
    ['[data-answer]', answer],
  ] as const) {
    const place = form.querySelector<HTMLElement>(selector)
    if (place === null) continue
    place.textContent = text
    place.hidden = text === ''
  }
}

const send = async (form: HTMLFormElement): Promise<void> => {
  const data = new FormData(form)
  const { method, path } = callOf(form, data)
  try {
    const answer = await fetch(path, requestOf(path, method, data))
    const challenge = answer.headers.get('www-authenticate')
    show(form, `${answer.status}${challenge === null ? '' : ` · WWW-Authenticate: ${challenge}`}`, pretty(await answer.text()))
  } catch {
    show(form, 'No answer: is the server there? A token may hold characters that no header can.', '')
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-try]')) {
  form.hidden = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const button = form.querySelector<HTMLButtonElement>('button[type=submit]')
    if (button === null || button.disabled) return
    button.disabled = true
    void send(form).finally(() => {
      button.disabled = false
      button.focus()
    })
  })
}

/** A link to an operation or a schema opens what it leads to. */
const openTarget = (): void => {
  const part = document.getElementById(location.hash.slice(1))
  if (part instanceof HTMLDetailsElement) {
    part.open = true
    part.scrollIntoView()
  }
}
addEventListener('hashchange', openTarget)
openTarget()
