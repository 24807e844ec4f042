import { createServer, type Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonBody } from '../../../src/http/json-body.ts'
import { noSuchRoute, problemHandler } from '../../../src/http/problem.ts'
import { RollcallError } from '../../../src/model/errors.ts'

let server: Server
let base: string
const reported: unknown[] = []

beforeAll(async () => {
  const app = express()
  app.post('/echo', jsonBody({ types: ['application/json'], limitBytes: 1000, maxDepth: 3 }), (request, response) => {
    response.json({ body: request.body === undefined ? 'nothing' : request.body })
  })
  app.get('/broken', () => {
    throw new Error('the password is swordfish')
  })
  app.get('/later', () => {
    throw new RollcallError('unavailable', { detail: 'Paused.', retryAfterSeconds: 2.5, cause: 'swordfish' })
  })
  app.get('/half', (_request, response) => {
    response.status(200).write('{"items":[')
    throw new Error('in the middle')
  })
  app.use(noSuchRoute)
  app.use(problemHandler((error) => void reported.push(error)))
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

async function send(body: RequestInit['body'], headers: Record<string, string> = {}) {
  const response = await fetch(`${base}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body ?? null,
  })
  return { status: response.status, body: await response.json() }
}

describe('a JSON body', () => {
  test.each([
    ['an object', '{"a":[1,"x"]}', { a: [1, 'x'] }],
    ['brackets within a string, which are no depth', '"[[[[[[{{{{\\"[["', '[[[[[[{{{{"[['],
    ['depth up to the limit', '[[[1]]]', [[[1]]]],
    ['a character outside the basic plane, escaped', '"\\ud83d\\ude00"', '\u{1f600}'],
    ['a backslash before what looks like an escape', '"\\\\u0000"', '\\u0000'],
  ])('is read: %s', async (_what, text, value) => {
    expect(await send(text)).toEqual({ status: 200, body: { body: value } })
  })

  test.each([
    ['more depth than allowed', '[[[[1]]]]', 400, 'invalid_syntax'],
    ['rubbish', '{a:1}', 400, 'invalid_syntax'],
    ['NUL', '{"a":"x\\u0000y"}', 400, 'invalid_syntax'],
    ['NUL in a name', '{"x\\u0000y":1}', 400, 'invalid_syntax'],
    ['half a character', '["\\ud83d"]', 400, 'invalid_syntax'],
    ['too many bytes', JSON.stringify('x'.repeat(1000)), 413, 'too_large'],
  ])('is refused: %s', async (_what, text, status, code) => {
    expect(await send(text)).toMatchObject({ status, body: { status, code } })
  })

  test('of another type, or compressed, is refused, and none at all is nothing', async () => {
    expect((await send('{}', { 'content-type': 'text/json' })).status).toBe(415)
    expect((await send('{}', { 'content-encoding': 'br' })).status).toBe(415)
    expect((await send('{}', { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200)
    expect(await send(null)).toEqual({ status: 200, body: { body: 'nothing' } })
  })

  test('that is larger than it says at first is stopped while it comes in', async () => {
    const chunk = `"${'x'.repeat(200)}`
    const stream = new ReadableStream({
      start(controller) {
        for (let count = 0; count < 50; count += 1) controller.enqueue(new TextEncoder().encode(chunk))
        controller.close()
      },
    })
    const response = await fetch(`${base}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(413)
  })

  test('that ends too early harms nobody', async () => {
    const { port } = server.address() as AddressInfo
    const socket = net.connect(port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"a"')
    socket.destroy()
    expect((await send('{}')).status).toBe(200)
    expect(reported).toEqual([])
  })
})

describe('problems', () => {
  test('an unknown error is a bare 500 and is reported', async () => {
    const response = await fetch(`${base}/broken`)
    expect(response.status).toBe(500)
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(await response.text()).not.toContain('swordfish')
    expect(reported.splice(0)).toEqual([new Error('the password is swordfish')])
  })

  test('a known one says its code, its sentence and when to come back, and not its cause', async () => {
    const response = await fetch(`${base}/later`)
    expect(response.headers.get('retry-after')).toBe('3')
    const body = await response.json()
    expect(body).toEqual({
      type: 'urn:rollcall:problem:unavailable',
      title: 'Paused or not reachable for now',
      status: 503,
      detail: 'Paused.',
      code: 'unavailable',
    })
    expect(reported).toEqual([])
  })

  test('an answer that had begun is cut off rather than taken for whole', async () => {
    const read = fetch(`${base}/half`).then((response) => response.text())
    await expect(read).rejects.toThrow()
    expect(reported.splice(0)).toHaveLength(1)
  })

  test('what has no route is a problem as well, also where the path cannot be decoded', async () => {
    expect((await (await fetch(`${base}/none`)).json()) as object).toMatchObject({ status: 404, code: 'not_found' })
  })
})
