// Sends files in parts, one file at a time and one part at a time. The server keeps the list of parts, so an upload goes on after a
// reload as soon as the same file is chosen again: its fingerprint tells that it is the same.
import { abortUpload, beginUpload, completeUpload, partUrl, Refused } from './api.ts'
import { say } from './words.ts'

export type Upload = {
  key: string
  name: string
  type: string
  size: number
  /** Bytes that are at the vault. */
  done: number
  state: 'waiting' | 'sending' | 'finishing' | 'failed'
  /** Why it stopped, in a sentence. */
  problem?: string
  /** Bytes a second, once it can be told. */
  speed?: number
}

type Item = Upload & { file: File; id?: string; began?: number; before?: number; request?: XMLHttpRequest; dropped?: boolean }

const EDGE = 65_536
const TRIES = 4

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Name, size, time and the first and last 64 KiB: enough to know a file again without reading all of it. */
async function fingerprintOf(file: File): Promise<string> {
  const edges = await new Blob([file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE))]).arrayBuffer()
  const about = new TextEncoder().encode(JSON.stringify([file.name, file.size, file.lastModified]))
  return hex(await crypto.subtle.digest('SHA-256', await new Blob([about, edges]).arrayBuffer()))
}

/** One part by XMLHttpRequest: fetch tells nothing while it sends. */
const sendPart = (item: Item, url: string, part: Blob, onProgress: (sent: number) => void): Promise<void> =>
  new Promise((done, failed) => {
    const request = new XMLHttpRequest()
    item.request = request
    request.open('PUT', url)
    request.upload.onprogress = (event) => onProgress(event.loaded)
    request.onload = () => (request.status < 300 ? done() : failed(new Refused(request.status, 'part', request.statusText)))
    request.onerror = () => failed(new Refused(0, 'network', ''))
    request.onabort = () => failed(new Refused(0, 'stopped', ''))
    request.send(part)
  })

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

export type UploadQueue = {
  add: (files: readonly File[]) => void
  drop: (key: string) => void
  retry: (key: string) => void
}

/**
 * @param onChange called with all uploads whenever one of them changes
 * @param onStored called with the name of a file that is complete
 */
export function createUploadQueue(onChange: (uploads: Upload[]) => void, onStored: (name: string) => void): UploadQueue {
  let items: Item[] = []
  let isRunning = false
  let count = 0
  const tell = (): void => onChange(items.map(({ file: _file, request: _request, ...upload }) => upload))

  const sendWithPatience = async (
    item: Item,
    id: string,
    number: number,
    part: Blob,
    onProgress: (sent: number) => void,
  ): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await sendPart(item, partUrl(id, number), part, onProgress)
      } catch (error) {
        const isFinal = error instanceof Refused && ((error.status >= 400 && error.status < 500) || error.code === 'stopped')
        if (isFinal || attempt === TRIES) throw error
        await pause(1000 * 2 ** attempt)
      }
    }
  }

  const send = async (item: Item): Promise<void> => {
    const { file } = item
    item.state = 'sending'
    delete item.problem
    tell()
    const upload = await beginUpload({ name: file.name, type: file.type, size: file.size, fingerprint: await fingerprintOf(file) })
    item.id = upload.id
    const lengthOf = (number: number): number => Math.min(upload.partSize, file.size - (number - 1) * upload.partSize)
    let stored = upload.parts.reduce((sum, number) => sum + lengthOf(number), 0)
    Object.assign(item, { done: stored, before: stored, began: performance.now() })
    for (let number = 1; number <= Math.ceil(file.size / upload.partSize); number += 1) {
      if (item.dropped) return
      if (upload.parts.includes(number)) continue
      const start = (number - 1) * upload.partSize
      await sendWithPatience(item, upload.id, number, file.slice(start, start + upload.partSize), (sent) => {
        item.done = stored + sent
        const seconds = (performance.now() - (item.began ?? 0)) / 1000
        if (seconds > 1) item.speed = (item.done - (item.before ?? 0)) / seconds
        tell()
      })
      stored += lengthOf(number)
      item.done = stored
      tell()
    }
    item.state = 'finishing'
    tell()
    await completeUpload(upload.id)
    items = items.filter((other) => other !== item)
    onStored(item.name)
  }

  const run = async (): Promise<void> => {
    if (isRunning) return
    isRunning = true
    for (let next = items.find((item) => item.state === 'waiting'); next; next = items.find((item) => item.state === 'waiting')) {
      try {
        await send(next)
      } catch (error) {
        next.state = 'failed'
        if (error instanceof Refused && error.status >= 400) next.problem = error.message
        // The file was changed, moved or locked since it was chosen (File API 6).
        if (error instanceof DOMException) next.problem = say('upload.unreadable', { name: next.name })
      }
      tell()
    }
    isRunning = false
  }

  return {
    add: (files) => {
      for (const file of files) {
        count += 1
        items.push({ key: String(count), name: file.name, type: file.type, size: file.size, done: 0, state: 'waiting', file })
      }
      tell()
      void run()
    },
    drop: (key) => {
      const item = items.find((one) => one.key === key)
      if (item === undefined) return
      item.dropped = true
      item.request?.abort()
      items = items.filter((one) => one !== item)
      if (item.id !== undefined) abortUpload(item.id).catch(() => undefined)
      tell()
    },
    retry: (key) => {
      const item = items.find((one) => one.key === key)
      if (item === undefined) return
      item.state = 'waiting'
      tell()
      void run()
    },
  }
}
