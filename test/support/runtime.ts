// Starts a built worker in real workerd, by Miniflare with a direct socket (RUNTIME 3): the same code, bindings and storage engine as
// in production, on 127.0.0.1 only. State lies in a folder and survives `kill -9`. With `wrap` the bundle gets a movable clock and
// faults from outside; without it, what runs is exactly what is deployed.
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { BUILD, type WorkerName } from '../tools/build.ts'
import type { Fault } from './fault.ts'
import { MAILBOX_WORKER, type Mailbox, openMailbox } from './mailbox.ts'
import { migrate } from './migrations.ts'
import { builtWorker, type Source } from './modules.ts'
import { pidsOf, RUNTIME_MARK } from './processes.ts'

type WorkerOptions = Parameters<typeof convertV4MiniflareOptions>[0]
export type StartOptions = {
  /** Folder for D1, Durable Objects and R2. */
  state: string
  /** Folder for outgoing mail; `<state>/../mail` unless told. */
  mail?: string
  /** Host name in the origin: cookies ignore ports, so two workers need two names. Both mean this machine. */
  host?: 'localhost' | '127.0.0.1'
  /** A free one unless told. */
  port?: number
  /** The state has its tables already. */
  isMigrated?: boolean
  /** Variables in place of those in wrangler.toml. */
  vars?: Record<string, unknown>
  /** Put the clock and the faults around the bundle. */
  wrap?: boolean
  /** Seconds by which the worker's clock is off from its first moment on, alarms that are overdue included (needs `wrap`). */
  clock?: number
  /** Port for DevTools, to profile the bundle. */
  inspect?: number
  /** What the worker writes to its log. */
  onLog?: (level: string, message: string) => void
  /** The runtime died and was started again by itself. */
  onCrash?: () => void
}

export type Running = {
  readonly name: string
  readonly origin: string
  readonly port: number
  readonly state: string
  readonly mailbox: Mailbox
  /** Lines that the worker wrote to its log. */
  readonly logs: string[]
  readonly miniflare: Miniflare
  /** Process id of workerd (Linux). */
  pid: () => number
  /** kill -9 of workerd, then start again on the same state; resolves when it answers. The clock's offset is kept, faults are not. */
  kill: () => Promise<void>
  /** Moves the worker's clock by so many seconds from the machine's (needs `wrap`). */
  setClock: (seconds: number) => Promise<void>
  /** What happens to the next D1 operations (needs `wrap`). */
  setFault: (fault: Fault | undefined) => Promise<void>
  /** Runs the alarm of one object now (needs `wrap`). */
  runAlarm: (binding: string, id: string) => Promise<void>
  /** Calls a method of the object with this name, as the worker itself would (needs `wrap`); answers what it answers. */
  callObject: (binding: string, name: string, method: string, ...args: unknown[]) => Promise<unknown>
  /** Ids of the objects of a class that have storage. */
  objects: (className: string) => Promise<string[]>
  stop: () => Promise<void>
}

/** True if somebody accepts connections on this port of this machine. */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(true))
    server.listen(port, '127.0.0.1', () => server.close(() => done(false)))
  })

/** A port that nobody listens on at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? done(address.port) : failed(new Error('no port'))))
    })
  })

export class PortTaken extends Error {
  readonly port: number
  constructor(port: number) {
    super(`Port ${port} on 127.0.0.1 is taken by another program.`)
    this.port = port
  }
}

const miniflareOptions = (
  source: Source,
  options: StartOptions,
  port: number,
  mark: string,
  mailbox: Mailbox,
  notify: Partial<Notices>,
) => {
  const { workerOptions } = source.config
  const { email, ...rest } = workerOptions as { email?: { send_email?: { name: string }[] } }
  const mailBindings = email?.send_email ?? []
  const compatibility = { compatibilityDate: workerOptions.compatibilityDate, compatibilityFlags: workerOptions.compatibilityFlags }
  const main = {
    ...rest,
    ...compatibility,
    name: source.config.name,
    rootPath: BUILD,
    modulesRoot: join(BUILD, 'modules'),
    modules: source.modules.map((module) => ({ ...module, path: join(BUILD, 'modules', module.path) })),
    bindings: { ...(workerOptions.bindings as object), ...options.vars },
    serviceBindings: {
      ...(workerOptions.serviceBindings as object),
      ...Object.fromEntries(mailBindings.map(({ name }) => [name, { name: 'mailbox', entrypoint: 'Outgoing' }])),
    },
    unsafeDirectSockets: [{ host: '127.0.0.1', port }],
  }
  const mail = {
    ...compatibility,
    name: 'mailbox',
    modules: [{ type: 'ESModule', path: 'mailbox.mjs', contents: MAILBOX_WORKER }],
    email: { send_email: [{ name: 'MAIL' }] },
    serviceBindings: {
      FOLDER: async (request: { json: () => Promise<unknown> }) => {
        mailbox.accept((await request.json()) as Parameters<Mailbox['accept']>[0])
        return new Response(null, { status: 204 })
      },
    },
  }
  return convertV4MiniflareOptions({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.NONE),
    telemetry: { enabled: false },
    ...(options.inspect !== undefined && { inspectorPort: options.inspect }),
    resourcePersistencePath: options.state,
    unsafeRuntimeEnv: { [RUNTIME_MARK]: mark },
    ...notify,
    workers: mailBindings.length > 0 ? [main, mail] : [main],
  } as unknown as WorkerOptions)
}

type Notices = { handleStructuredLogs: (log: { level: string; message: string }) => void; unsafeHandleRuntimeRestart: () => void }

/**
 * Starts a worker: a built one by name, or any source.
 * Rejects with `PortTaken` if the port that was asked for is in use, else with what the runtime said.
 */
export const startWorker = async (what: WorkerName | Source, options: StartOptions): Promise<Running> => {
  const source = typeof what === 'string' ? builtWorker(what, options.wrap === true, options.clock) : what
  const port = options.port ?? (await freePort())
  if (await isListening(port)) throw new PortTaken(port)
  mkdirSync(options.state, { recursive: true })
  const mailbox = openMailbox(options.mail ?? join(options.state, '../mail'))
  const mark = randomUUID()
  const logs: string[] = []
  let restarted: (() => void) | undefined
  const miniflare = new Miniflare(
    miniflareOptions(source, options, port, mark, mailbox, {
      handleStructuredLogs: ({ level, message }) => {
        logs.push(message)
        options.onLog?.(level, message)
      },
      unsafeHandleRuntimeRestart: () => {
        if (restarted) return restarted()
        options.onCrash?.()
        if (offset !== 0) void setClock(offset / 1000)
      },
    }),
  )
  await miniflare.ready
  const binding = Object.keys((source.config.workerOptions.d1Databases ?? {}) as object)[0]
  if (!options.isMigrated && source.config.migrationsDir && binding && existsSync(source.config.migrationsDir)) {
    await migrate(await miniflare.getD1Database(binding, source.config.name), source.config.migrationsDir)
  }
  const origin = `http://${options.host ?? 'localhost'}:${port}`
  let offset = (options.clock ?? 0) * 1000
  const send = async (path: string, body: unknown): Promise<Response> => {
    const answer = await fetch(`http://127.0.0.1:${port}/__test/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`/__test/${path} answered ${answer.status}: ${await answer.text()}`)
    return answer
  }
  const control = async (path: string, body: unknown): Promise<void> => {
    await send(path, body)
  }
  const pid = (): number => {
    const [found] = pidsOf(mark)
    if (found === undefined) throw new Error('The process of the runtime can only be found on Linux, while it runs.')
    return found
  }
  const setClock = async (seconds: number): Promise<void> => {
    offset = seconds * 1000
    await control('clock', { offset })
  }
  return {
    name: source.config.name,
    origin,
    port,
    state: options.state,
    mailbox,
    logs,
    miniflare,
    pid,
    kill: async () => {
      const back = new Promise<void>((done) => {
        restarted = done
      })
      process.kill(pid(), 'SIGKILL')
      await back
      restarted = undefined
      if (options.wrap && offset !== 0) await setClock(offset / 1000)
    },
    setClock,
    setFault: (fault) => control('faults', fault ?? null),
    runAlarm: (name, id) => control('alarm', { binding: name, id }),
    callObject: async (binding, name, method, ...args) => (await send('call', { binding, name, method, args })).json(),
    objects: (className) => miniflare.listDurableObjectIds(className, source.config.name),
    stop: () => miniflare.dispose(),
  }
}
