// The guard in front of everything that the vault fetches.
import { describe, expect, it } from 'vitest'
import { judgeAddress, makeOutbound, parseDevOrigins } from '../../worker/vault/guard.ts'

describe('DESIGN I8: no private address is contacted', () => {
  it.each([
    ['https://share.example'],
    ['https://share.example:8443/t1'],
    ['https://8.8.8.8'],
    ['https://172.32.0.1'],
    ['https://[2606:4700::1111]/'],
    ['https://xn--bcher-kva.example'],
  ])('DESIGN I8: %s may be contacted', (address) => {
    expect(judgeAddress(address, [])).toEqual({ kind: 'allowed' })
  })

  it.each([
    ['not https', 'http://share.example'],
    ['another scheme', 'file:///etc/passwd'],
    ['no address', 'share.example'],
    ['a password', 'https://user:pass@share.example'],
    ['localhost', 'https://localhost'],
    ['a name below localhost', 'https://as.localhost'],
    ['a single label', 'https://router'],
    ['.internal', 'https://metadata.google.internal'],
    ['.local with a dot behind', 'https://printer.local.'],
    ['.onion', 'https://abc.onion'],
    ['loopback', 'https://127.0.0.1'],
    ['loopback, octal', 'https://0177.0.0.1'],
    ['loopback, hexadecimal', 'https://0x7f000001'],
    ['loopback, one number', 'https://2130706433'],
    ['loopback, short', 'https://127.1'],
    ['this network', 'https://0.0.0.0'],
    ['ten', 'https://10.1.2.3'],
    ['carrier', 'https://100.64.0.1'],
    ['link local (cloud metadata)', 'https://169.254.169.254/latest'],
    ['172.16', 'https://172.31.255.255'],
    ['192.168', 'https://192.168.1.1'],
    ['multicast', 'https://224.0.0.1'],
    ['broadcast', 'https://255.255.255.255'],
    ['IPv6 loopback', 'https://[::1]'],
    ['IPv6 unspecified', 'https://[::]'],
    ['IPv6 mapped', 'https://[::ffff:127.0.0.1]'],
    ['IPv6 NAT64', 'https://[64:ff9b::7f00:1]'],
    ['IPv6 unique local', 'https://[fd00::1]'],
    ['IPv6 link local', 'https://[fe80::1]'],
    ['IPv6 6to4', 'https://[2002:7f00:1::]'],
    ['IPv6 Teredo', 'https://[2001:0:1::]'],
    ['IPv6 documentation', 'https://[2001:db8::1]'],
    ['full-width digits', 'https://１２７.0.0.1'],
  ])('DESIGN I8: refused: %s', (_what, address) => {
    expect(judgeAddress(address, ['http://localhost:8787'])).toMatchObject({ kind: 'refused' })
  })

  it('DESIGN 4: an origin of DEV_ORIGINS is allowed exactly as it stands', () => {
    const origins = parseDevOrigins('http://localhost:8787, https://10.0.0.1')
    expect(judgeAddress('http://localhost:8787/token?x', origins)).toEqual({ kind: 'allowed' })
    expect(judgeAddress('https://10.0.0.1/', origins)).toEqual({ kind: 'allowed' })
    for (const other of ['http://localhost:8788/', 'https://localhost:8787/', 'http://127.0.0.1:8787/', 'http://u@localhost:8787/']) {
      expect(judgeAddress(other, origins)).toMatchObject({ kind: 'refused' })
    }
  })

  it('DESIGN 4: DEV_ORIGINS holds origins and nothing else', () => {
    expect(parseDevOrigins(undefined)).toEqual([])
    expect(() => parseDevOrigins('http://localhost:8787/path')).toThrow('is not an origin')
    expect(() => parseDevOrigins('*')).toThrow('is not an origin')
  })

  it('DESIGN I8: what is refused is never sent', async () => {
    await expect(makeOutbound([])('https://127.0.0.1/')).rejects.toThrow('not contacted')
  })
})
