// A web server of somebody else's, on this machine, whose pages a test writes: client metadata documents, key sets. Counts what it is asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { freePort } from './runtime.ts'

export type Page = (request: IncomingMessage, response: ServerResponse) => void
export type Documents = {
  origin: string
  /** What a path answers: JSON with 200, or whatever the function does. */
  pages: Map<string, unknown | Page>
  /** Paths that were asked for, oldest first. */
  asked: string[]
  stop: () => Promise<void>
}

export const startDocuments = async (): Promise<Documents> => {
  const port = await freePort()
  const pages: Documents['pages'] = new Map()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const page = pages.get(path)
    if (typeof page === 'function') return page(request, response)
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(page ?? {}))
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return {
    origin: `http://127.0.0.1:${port}`,
    pages,
    asked,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}
