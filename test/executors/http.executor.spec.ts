import { afterEach, describe, expect, test } from 'vitest';
import { createServer as createTlsServer } from 'node:https';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { HttpFailedError, RetryAfterError } from '../../lib/index.js';
import { call, failure, local } from './http.call.js';
import { HttpServer, type Received } from './http.server.js';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(answer: (request: Received, response: ServerResponse) => void): Promise<HttpServer> {
  const server = await HttpServer.start(answer);
  servers.push(server);
  return server;
}

describe('a call', () => {
  test('sends what the task says, with the id of the run as its key', async () => {
    const server = await serve((_, response) => response.end());
    await call({
      url: server.url('/orders?a=1#part'),
      query: { b: 'x y&', c: [1, true] },
      headers: { 'X-Kind': 'daily' },
      body: { to: 'Zoë' },
    });
    expect(server.received).toMatchObject([
      {
        method: 'POST',
        url: '/orders?a=1&b=x+y%26&c=1&c=true',
        body: '{"to":"Zoë"}',
        headers: {
          'idempotency-key': 'run-7',
          'x-kind': 'daily',
          'content-type': 'application/json',
          'content-length': '13',
          'user-agent': 'nestjs-chronis',
        },
      },
    ]);
  });

  test('has keys that begin as its installation wants', async () => {
    const server = await serve((_, response) => response.end());
    await call({ url: server.url() }, { ...local, keyPrefix: 'shop-' });
    expect(server.received[0]!.headers['idempotency-key']).toBe('shop-run-7');
  });

  test('sends text as it is, and the headers of the task in place of its own', async () => {
    const server = await serve((_, response) => response.end());
    const headers = { 'content-type': 'text/csv', 'IDEMPOTENCY-KEY': 'mine' };
    await call({ url: server.url(), method: 'PUT', body: 'a;b', headers });
    expect(server.received[0]).toMatchObject({
      method: 'PUT',
      body: 'a;b',
      headers: { 'content-type': 'text/csv', 'idempotency-key': 'mine' },
    });
  });

  test('comes to the status, some headers, and the body as what it is', async () => {
    const server = await serve((_, response) => {
      const headers = { 'Content-Type': 'application/problem+json', ETag: '"1"', 'Set-Cookie': 'a=b' };
      response.writeHead(201, headers).end('{"n":[1]}');
    });
    expect(await call({ url: server.url() })).toEqual({
      status: 201,
      headers: {
        'content-type': 'application/problem+json',
        etag: '"1"',
        date: expect.any(String) as string,
      },
      body: { n: [1] },
      bodyBytes: 9,
      isCut: false,
    });
  });

  test.each<[string, string | Buffer, Record<string, string>, unknown]>([
    ['text', 'héllo', { 'Content-Type': 'text/plain' }, 'héllo'],
    [
      'text of another charset',
      Buffer.from([0x68, 0xe9]),
      { 'Content-Type': 'text/plain; charset=latin1' },
      'hé',
    ],
    ['nothing', '', {}, null],
    ['JSON that is none', '{"a":', { 'Content-Type': 'application/json' }, '{"a":'],
    ['gzip', gzipSync('packed'), { 'Content-Encoding': 'gzip' }, 'packed'],
    ['Brotli', brotliCompressSync('packed'), { 'Content-Encoding': 'br' }, 'packed'],
  ])('reads %s', async (_, sent, headers, body) => {
    const server = await serve((__, response) => response.writeHead(200, headers).end(sent));
    expect((await call({ url: server.url() })).body).toEqual(body);
  });

  test('of HEAD reads no body, whatever the headers say of it', async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(),
    );
    expect(await call({ url: server.url(), method: 'HEAD' })).toMatchObject({ status: 200, body: null });
  });

  test('cuts what is too long for a result', async () => {
    const server = await serve((_, response) => {
      response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify('\u0001'.repeat(100_000)));
    });
    const { body, bodyBytes, isCut } = await call({ url: server.url() });
    expect({ isCut, bodyBytes }).toEqual({ isCut: true, bodyBytes: 600_002 });
    expect(JSON.stringify(body).length).toBeLessThan(64 * 1_024);
  });

  test('fails with what the server said', async () => {
    const server = await serve((_, response) => response.writeHead(500).end('No such table.'));
    const error = await failure({ url: server.url('/a?b=c') });
    expect(error).toBeInstanceOf(HttpFailedError);
    expect(error).toMatchObject({
      code: 'CHRONIS_HTTP_FAILED',
      status: 500,
      message: `GET ${server.url('/a')} answered 500.\nNo such table.`,
    });
  });

  test.each([
    [404, ['2xx', 404] as const, true],
    [204, [200] as const, false],
    [418, ['4xx'] as const, true],
    [304, ['2xx'] as const, false],
  ])('that is answered %s where %j means success: %s', async (status, successStatus, isSuccess) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    const task = { url: server.url(), successStatus: [...successStatus] };
    if (isSuccess) expect((await call(task)).status).toBe(status);
    else expect(await failure(task)).toMatchObject({ status });
  });

  test.each<[string, string, number]>([
    ['seconds', '17', 17_000],
    ['a date', 'Mon, 30 Nov 2026 10:01:30 GMT', 90_000],
    ['a date of RFC 850', 'Monday, 30-Nov-26 10:01:30 GMT', 90_000],
    ['a date of C', 'Mon Nov 30 10:01:30 2026', 90_000],
    ['a date that is over', 'Mon, 30 Nov 2026 09:00:00 GMT', 0],
    ['a year', '31536000', 86_400_000],
  ])('that is to wait for %s is retried then', async (_, after, delay) => {
    const server = await serve((__, response) => {
      const headers = { 'Retry-After': after, Date: 'Mon, 30 Nov 2026 10:00:00 GMT' };
      response.writeHead(429, headers).end('Slow down.');
    });
    const error = await failure({ url: server.url() });
    expect(error).toBeInstanceOf(RetryAfterError);
    expect(error).toMatchObject({
      delay,
      message: expect.stringContaining('answered 429.\nSlow down.') as string,
    });
  });

  test('that is to wait for what nobody understands has failed', async () => {
    const server = await serve((_, response) => response.writeHead(503, { 'Retry-After': 'soon' }).end());
    expect(await failure({ url: server.url() })).toMatchObject({ status: 503 });
  });

  test('fails where nobody listens', async () => {
    const server = await serve(() => {});
    const url = server.url();
    await server.stop();
    servers.pop();
    expect((await failure({ url })).message).toMatch(/^GET http:.* came to no answer: .*ECONNREFUSED/);
  });

  test('goes through no proxy that the environment names', async () => {
    const server = await serve((_, response) => response.end('direct'));
    const proxy = await serve((_, response) => response.end('proxy'));
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    try {
      for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : proxy.url();
      expect((await call({ url: server.url() })).body).toBe('direct');
    } finally {
      names.forEach((name, at) => {
        if (before[at] === undefined) delete process.env[name];
        else process.env[name] = before[at];
      });
    }
    expect(proxy.received).toEqual([]);
  });

  test('trusts the authorities that it was given, and no others, whatever the environment says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chronis-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
    ];
    execFileSync('openssl', [...args, ...names], { stdio: 'ignore' });
    const [ca, tls] = [readFileSync(cert, 'utf8'), { key: readFileSync(key), cert: readFileSync(cert) }];
    const server = await HttpServer.start(
      (_, response) => response.end('safe'),
      (listener) => createTlsServer(tls, listener),
    );
    servers.push(server);
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const url = server.url('/', 'localhost', 'https');
      const options = { ...local, lookup: async () => ['127.0.0.1'] };
      expect((await failure({ url }, options)).message).toContain('self-signed certificate');
      expect((await call({ url }, { ...options, ca })).body).toBe('safe');
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
      rmSync(folder, { recursive: true });
    }
  });
});
