// What the platform costs by itself, measured beside our own operations (DESIGN section 6): F1 a bare handler, F2 one call to a
// Durable Object that returns an object, F3 one call with one durable write. Requests and answers are as large as ours.
import { DurableObject } from 'cloudflare:workers'

type Env = { FLOOR: DurableObjectNamespace<FloorObject> }

export class FloorObject extends DurableObject<Env> {
  private readonly grant = {
    active: true,
    permissions: [{ resource_id: 'r-0123456789', resource_scopes: ['view'], exp: 1_900_000_000 }],
    iat: 1_800_000_000,
  }

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    context.storage.sql.exec('CREATE TABLE IF NOT EXISTS spent (jti TEXT PRIMARY KEY, exp INTEGER NOT NULL) WITHOUT ROWID')
  }

  read(): typeof this.grant {
    return this.grant
  }

  write(jti: string, exp: number): typeof this.grant {
    this.ctx.storage.sql.exec('INSERT INTO spent (jti, exp) VALUES (?1, ?2)', jti, exp)
    return this.grant
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/f1') return Response.json({ active: false })
    const object = env.FLOOR.get(env.FLOOR.idFromName('one'))
    if (pathname === '/f2') return Response.json(await object.read())
    if (pathname === '/f3') return Response.json(await object.write(crypto.randomUUID(), 1_900_000_000))
    return new Response(null, { status: 404 })
  },
} satisfies ExportedHandler<Env>
