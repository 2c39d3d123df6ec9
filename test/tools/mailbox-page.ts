// The page on which a person at this machine reads what the server has mailed. Everything in a message is text; nothing is executed.
import { createServer, type Server } from 'node:http'
import type { Mail, Mailbox } from '../support/mailbox.ts'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

/** Escaped text in which addresses of this machine and of the web can be clicked. */
const withLinks = (text: string): string =>
  text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) => (index % 2 === 1 ? `<a href="${escaped(part)}" rel="noreferrer">${escaped(part)}</a>` : escaped(part)))
    .join('')

const article = (mail: Mail): string =>
  `<article><h2>${escaped(mail.subject)}</h2><p>To <b>${escaped(mail.to.join(', '))}</b> from ${escaped(mail.from)}, <time datetime="${escaped(mail.at)}">${escaped(mail.at.replace('T', ' ').slice(0, 19))} UTC</time></p><pre>${withLinks(mail.text)}</pre></article>`

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}article{border:1px solid #8886;border-radius:10px;padding:0 1rem;margin:1rem 0}h2{font-size:1.1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}p{opacity:.75}'

const page = (mails: readonly Mail[]): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="3"><title>Outgoing mail</title><style>${STYLE}</style></head><body><h1>Outgoing mail</h1><p>What Latchkey on this machine would have sent, newest first. Nothing leaves the machine.</p>${mails.map(article).join('') || '<p>Nothing yet.</p>'}</body></html>`

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/**
 * Serves the mailbox on 127.0.0.1: `/` for people, `/mail.json` for tests (newest first).
 * Requests that name another host are refused, so that no page of the web can read codes through a name that points here.
 */
export const serveMailbox = (mailbox: Mailbox, port: number): Promise<Server> =>
  new Promise((done, failed) => {
    const server = createServer((request, response) => {
      const host = (request.headers.host ?? '').replace(/:\d+$/, '')
      if (host !== 'localhost' && host !== '127.0.0.1') {
        response.writeHead(421, HEADERS).end()
        return
      }
      const mails = mailbox.all().reverse()
      if (request.url === '/mail.json')
        response.writeHead(200, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(mails))
      else if (request.url === '/') response.writeHead(200, { ...HEADERS, 'content-type': 'text/html; charset=utf-8' }).end(page(mails))
      else response.writeHead(404, HEADERS).end()
    })
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => done(server))
  })
