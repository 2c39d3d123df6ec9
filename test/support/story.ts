// The authorization server and the vault side by side, as `npm start`, the demo and the tests run them: two runtimes, two host names,
// plain HTTP between them. Nothing else connects them.
import { join } from 'node:path'
import { freePort, type Running, type StartOptions, startWorker } from './runtime.ts'

export type Both = { as: Running; vault: Running; stop: () => Promise<void> }

export type BothOptions = {
  /** Folder for `as/`, `vault/` and `mail/`. */
  folder: string
  asPort?: number
  vaultPort?: number
  wrap?: boolean
  /** The server's state has its tables already. */
  isMigrated?: boolean
  clock?: number
  asVars?: Record<string, unknown>
  vaultVars?: Record<string, unknown>
  onLog?: (worker: 'as' | 'vault', level: string, message: string) => void
  onCrash?: (worker: 'as' | 'vault') => void
}

const optionsFor = (
  worker: 'as' | 'vault',
  both: BothOptions,
): Pick<StartOptions, 'state' | 'mail' | 'wrap' | 'clock' | 'onLog' | 'onCrash'> => ({
  state: join(both.folder, worker),
  mail: join(both.folder, 'mail'),
  ...(both.wrap !== undefined && { wrap: both.wrap }),
  ...(both.clock !== undefined && { clock: both.clock }),
  ...(both.onLog && { onLog: (level, message) => both.onLog?.(worker, level, message) }),
  ...(both.onCrash && { onCrash: () => both.onCrash?.(worker) }),
})

/** Starts the authorization server alone, on http://localhost:<port>. */
export const startAs = async (options: BothOptions): Promise<Running> => {
  const port = options.asPort ?? (await freePort())
  return startWorker('as', {
    ...optionsFor('as', options),
    host: 'localhost',
    port,
    ...(options.isMigrated && { isMigrated: true }),
    vars: { ISSUER: `http://localhost:${port}`, ...options.asVars },
  })
}

/** Starts both; cookies ignore ports, so the server is `localhost` and the vault is `127.0.0.1`. */
export const startBoth = async (options: BothOptions): Promise<Both> => {
  const asPort = options.asPort ?? (await freePort())
  const vaultPort = options.vaultPort ?? (await freePort())
  const asOrigin = `http://localhost:${asPort}`
  const vaultOrigin = `http://127.0.0.1:${vaultPort}`
  const started = await Promise.allSettled([
    startAs({ ...options, asPort, asVars: { DEV_ORIGINS: vaultOrigin, ...options.asVars } }),
    startWorker('vault', {
      ...optionsFor('vault', options),
      host: '127.0.0.1',
      port: vaultPort,
      // DESIGN 4, "Loopback": the only addresses of this machine that each may talk to.
      vars: { ORIGIN: vaultOrigin, DEV_ORIGINS: asOrigin, SUGGESTED_AS: asOrigin, ...options.vaultVars },
    }),
  ])
  const [as, vault] = started
  if (as.status === 'fulfilled' && vault.status === 'fulfilled') {
    const stop = async (): Promise<void> => {
      await Promise.all([as.value.stop(), vault.value.stop()])
    }
    return { as: as.value, vault: vault.value, stop }
  }
  for (const one of started) if (one.status === 'fulfilled') await one.value.stop()
  throw started.find((one) => one.status === 'rejected')?.reason
}
