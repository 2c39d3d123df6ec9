// Package export `./protocol`: every wire name, schema and type, and nothing that does anything.
export * from './oauth.ts'
export * as ownerApi from './owner-api.ts'
export * from './protected-resource.ts'
export * from './uma-federation.ts'
export * from './uma-grant.ts'
export * from './wallet.ts'
