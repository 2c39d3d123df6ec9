// Which methods a path has, from the mounted routes.
import { describe, expect, it } from 'vitest'
import { methodsOf } from '../../worker/http/methods.ts'

const ROUTES = [
  { method: 'ALL', path: '/*' },
  { method: 'ALL', path: '/token' },
  { method: 'POST', path: '/token' },
  { method: 'POST', path: '/uma/resource' },
  { method: 'GET', path: '/uma/resource' },
  { method: 'GET', path: '/uma/resource/:id' },
  { method: 'PUT', path: '/uma/resource/:id' },
  { method: 'GET', path: '/uma/claims/:sid{[0-9a-f]{4}}' },
  { method: 'GET', path: '/' },
]

describe('RFC 9110 15.5.6: Allow', () => {
  it.each([
    ['/token', ['POST']],
    ['/uma/resource', ['POST', 'GET', 'HEAD']],
    ['/uma/resource/x', ['GET', 'HEAD', 'PUT']],
    ['/uma/claims/0aF', []],
    ['/uma/claims/00af', ['GET', 'HEAD']],
    ['/', ['GET', 'HEAD']],
  ])('RFC 9110 15.5.6: %s has %j', (path, methods) => {
    expect(methodsOf(ROUTES, path)).toEqual(methods)
  })

  it.each(['', '//', '//token', '/token/', '/uma/resource/', '/TOKEN', '/token;x=1', '/tokens', '/uma/resource/x/y', '/a'])(
    'RFC 9110 15.5.5: %j is nowhere',
    (path) => {
      expect(methodsOf(ROUTES, path)).toEqual([])
    },
  )
})
