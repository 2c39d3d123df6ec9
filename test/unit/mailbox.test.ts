// The mailbox folder and its page: what comes in is found again, and nothing in a message becomes markup.
import { mkdtempSync, rmSync } from 'node:fs'
import { request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMailbox } from '../support/mailbox.ts'
import { freePort } from '../support/runtime.ts'
import { serveMailbox } from '../tools/mailbox-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
const mailbox = openMailbox(folder)
let server: Server
let port: number

const get = (path: string, host: string): Promise<{ status: number | undefined; body: string }> =>
  new Promise((done, failed) => {
    request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => (body += text))
      answer.on('end', () => done({ status: answer.statusCode, body }))
    })
      .on('error', failed)
      .end()
  })

beforeAll(async () => {
  port = await freePort()
  server = await serveMailbox(mailbox, port)
  mailbox.accept({ messageId: '1', from: 'a@example.org', to: 'bob@example.net', subject: 'first', text: 'one' })
  mailbox.accept({
    messageId: '2',
    from: { email: 'a@example.org', name: 'A' },
    to: ['bob@example.net'],
    subject: '<b>second</b>',
    text: '<script>alert(1)</script> http://localhost:8787/x?a=1&b="2"',
  })
})

afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

describe('RUNTIME 2: outgoing mail on this machine', () => {
  it('RUNTIME 2: the page escapes all that a message says, and makes only web addresses into links', async () => {
    const { status, body } = await get('/', '127.0.0.1')
    expect(status).toBe(200)
    expect(body).toContain('&lt;b&gt;second&lt;/b&gt;')
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(body).toContain('<a href="http://localhost:8787/x?a=1&amp;b=" rel="noreferrer">')
    expect(body).not.toContain('<script>')
  })

  it('RUNTIME 2: newest first, also as JSON', async () => {
    const { body } = await get('/mail.json', 'localhost')
    expect((JSON.parse(body) as { subject: string }[]).map(({ subject }) => subject)).toEqual(['<b>second</b>', 'first'])
  })

  it('RUNTIME 2: a host name of the web that points to this machine reads nothing', async () => {
    expect((await get('/mail.json', 'rebind.example')).status).toBe(421)
  })

  it('RUNTIME 2: a message that was there is found at once, one to come is waited for', async () => {
    expect((await mailbox.next('bob@example.net', 1)).subject).toBe('<b>second</b>')
    const coming = mailbox.next('carol@example.org')
    mailbox.accept({ messageId: '3', from: 'a@example.org', to: 'Carol@example.org', subject: 'third', text: '' })
    expect((await coming).subject).toBe('third')
  })
})
