// The people and programs of the story, over HTTP only. They use what a stranger could use: pages, forms, mail, public endpoints.
export * from './guest-actor.ts'
export * from './owner-actor.ts'
export * from './service-actor.ts'
