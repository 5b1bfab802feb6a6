import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerResponse } from 'node:http';
import { HttpRefusedError } from '../../lib/index.js';
import type { HttpOptions } from '../../lib/executors/index.js';
import { failure, call, local, problems } from './http.call.js';
import { Secrets } from '../../lib/executors/http.secrets.js';
import { HttpServer, type Received } from './http.server.js';
import { TasksApp } from './tasks.app.js';

const secret = 'tök"en/+ 4711&x';
const options = { ...local, env: ['CHRONIS_TEST_TOKEN', 'CHRONIS_TEST_HEADER', 'CHRONIS_TEST_OTHER'] };
const token = '${env:CHRONIS_TEST_TOKEN}';
const header = '${env:CHRONIS_TEST_HEADER}';
const ofHeader = 'Bearer abcdef-0123456789';
/** All the ways in which it may come back. */
const written = [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  JSON.stringify(JSON.stringify(secret)).slice(1, -1),
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('hex').toUpperCase(),
  encodeURIComponent(encodeURIComponent(secret)),
  encodeURIComponent(encodeURIComponent(encodeURIComponent(secret))),
  Buffer.from('abcdef-0123456789').toString('base64'),
  secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
  secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('&', '&amp;'),
  secret
    .replaceAll('&', '&#38;')
    .replaceAll('"', '&#034;')
    .replaceAll('/', '&#x2F;')
    .replaceAll('+', '&#x2b;'),
  Array.from(secret, (letter) => (/\w/.test(letter) ? letter : `&#${letter.codePointAt(0)!};`)).join(''),
  Array.from(secret, (letter) => `&#${letter.codePointAt(0)!};`).join(''),
  Array.from(secret, (letter) => `&#x${letter.codePointAt(0)!.toString(16)};`).join(''),
  [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  // As ISO 8859-1 has it.
  [...Buffer.from(secret, 'latin1')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  [...Buffer.from(secret, 'latin1')].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
  secret.toUpperCase(),
  ofHeader,
  'abcdef-0123456789',
];

/** Names that all come to this machine. */
const anywhere = { lookup: async () => ['127.0.0.1'] };

const servers: HttpServer[] = [];
beforeEach(() => {
  process.env.CHRONIS_TEST_TOKEN = secret;
  process.env.CHRONIS_TEST_HEADER = ofHeader;
});
afterEach(async () => {
  for (const name of options.env) delete process.env[name];
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(answer: (request: Received, response: ServerResponse) => void): Promise<HttpServer> {
  const server = await HttpServer.start(answer);
  servers.push(server);
  return server;
}

describe('a secret', () => {
  const sent = {
    query: { key: token },
    headers: { Authorization: header },
    body: { a: [{ b: `<${token}>` }] },
  };

  test('is put in where the task refers to it', async () => {
    const server = await serve((_, response) => response.end());
    await call({ url: server.url(), ...sent }, options);
    const { url, headers, body } = server.received[0]!;
    expect(new URL(url, 'http://a').searchParams.get('key')).toBe(secret);
    expect(headers.authorization).toBe(ofHeader);
    expect(JSON.parse(body)).toEqual({ a: [{ b: `<${secret}>` }] });
  });

  test('is in nothing that is kept or told, though the server sends it back in all ways', async () => {
    const server = await serve((request, response) => {
      const type = request.url.startsWith('/json') ? 'application/json' : 'text/plain';
      const status = request.url.startsWith('/fail') ? 500 : request.url.startsWith('/later') ? 429 : 200;
      const echo = { written, [secret]: secret, escaped: 'HERE' };
      const escaped = secret
        .split('')
        .map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('');
      const headers = {
        'Content-Type': type,
        'X-Request-Id': 'abcdef-0123456789',
        ETag: encodeURIComponent(secret),
        ...(status === 429 ? { 'Retry-After': '0' } : {}),
      };
      response.writeHead(status, headers).end(JSON.stringify(echo).replace('HERE', escaped));
    });
    const broken = await HttpServer.raw((socket) => {
      socket.once('data', (bytes: Buffer) => socket.end(`HTTP/1.1 200 OK\r\n${bytes.toString()}`));
    });
    servers.push(broken);
    const app = await TasksApp.boot({ http: options });
    try {
      for (const path of ['/json', '/text', '/fail']) {
        const { outcome } = await app.run({ type: 'http', url: server.url(path), ...sent });
        expect(outcome).toBe(path === '/fail' ? 'failed' : 'succeeded');
      }
      await app.run({ type: 'http', url: server.url('/later'), ...sent }, { maxRetries: 1 });
      await app.run({ type: 'http', url: broken.url('/'), ...sent });
      const kept = {
        attempts: (await app.scheduler.getAttempts()).items,
        runs: (await app.scheduler.getRuns()).items,
        told: app.told,
        logged: app.logged,
      };
      expect(kept.attempts.map(({ outcome }) => outcome).sort()).toEqual([
        'failed',
        'failed',
        'failed',
        'failed',
        'succeeded',
        'succeeded',
      ]);
      const all = JSON.stringify(kept, (_, value: unknown) =>
        value instanceof Error
          ? { ...Object.fromEntries(Object.entries(value)), text: value.stack, cause: value.cause }
          : value,
      );
      for (const text of written) {
        for (const form of [text, JSON.stringify(text).slice(1, -1)]) expect(all).not.toContain(form);
      }
      expect(all).toContain('***');
      expect(all).not.toMatch(/4711|u0034/);
    } finally {
      await app.close();
    }
  });

  test('does not go to another origin', async () => {
    const other = await serve((_, response) => response.end());
    const server = await serve((_, response) => response.writeHead(307, { Location: other.url() }).end());
    const error = await failure({ url: server.url(), body: token }, options);
    expect(error).toBeInstanceOf(HttpRefusedError);
    expect(error.message).toContain('which may not get what is secret');
    expect(other.received).toEqual([]);
  });

  test.each(['User-Agent', 'Accept', 'Accept-Language', 'Content-Type', 'Idempotency-Key'])(
    'in the header %s does not go to another origin, nor back',
    async (name) => {
      const other = await serve((_, response) =>
        response.writeHead(302, { Location: server.url('/back', 'a.test') }).end(),
      );
      const server = await serve((request, response) => {
        if (request.url === '/back') response.end();
        else if (request.url === '/') response.writeHead(302, { Location: '/next' }).end();
        else response.writeHead(302, { Location: other.url('/', 'b.test') }).end();
      });
      const headers = { [name]: `x ${header}`, 'Accept-Charset': 'utf-8' };
      await call({ url: server.url('/', 'a.test'), headers }, { ...options, ...anywhere });
      const of = (each: Received | undefined): unknown => each!.headers[name.toLowerCase()];
      const [first, second, back] = server.received;
      expect([of(first), of(second)]).toEqual([`x ${ofHeader}`, `x ${ofHeader}`]);
      expect([of(other.received[0]), of(back)]).toEqual([undefined, undefined]);
      expect(JSON.stringify([other.received, back])).not.toContain(ofHeader);
    },
  );

  test.each<[string, HttpOptions['env'], boolean]>([
    ['whoever may get it', options.env, false],
    ['of its hosts', { CHRONIS_TEST_TOKEN: ['a.test'] }, false],
    ['of its hosts, both', { CHRONIS_TEST_TOKEN: ['a.test', 'b.test'] }, true],
  ])(
    'that a server puts into the URL of another host, %s, goes there only by http.env',
    async (_, env, goes) => {
      const other = await serve((__, response) => response.end());
      const server = await serve((request, response) => {
        const { search } = new URL(request.url, 'http://a');
        response.writeHead(301, { Location: other.url(`/${search}`, 'b.test') }).end();
      });
      const task = { url: server.url('/', 'a.test'), query: { key: token } };
      const sent = { ...local, ...anywhere, env };
      if (goes) await call(task, sent);
      else
        expect((await failure(task, sent)).message).toMatch(
          /^GET \S+: it redirects to b\.test:\d+, which may not/,
        );
      expect(other.received).toHaveLength(goes ? 1 : 0);
    },
  );

  test('that a server puts into another URL of its host goes there', async () => {
    const other = await serve((_, response) => response.end());
    const server = await serve((request, response) => {
      const { search } = new URL(request.url, 'http://a');
      response.writeHead(301, { Location: other.url(`/${search}`, 'a.test') }).end();
    });
    await call({ url: server.url('/', 'a.test'), query: { key: token } }, { ...options, ...anywhere });
    expect(other.received).toHaveLength(1);
  });

  test('goes to its hosts only', async () => {
    const env = { CHRONIS_TEST_TOKEN: ['a.test'] };
    const wrong = await problems({ url: 'http://b.test/', query: { token } }, { ...local, env });
    expect(wrong).toEqual(['query: refers to CHRONIS_TEST_TOKEN, which b.test does not get (http.env)']);
    expect(await problems({ url: 'http://a.test/', query: { token } }, { ...local, env })).toBeNull();
  });

  test.each<[string, string | undefined, RegExp]>([
    ['is missing', undefined, /this process has no variable CHRONIS_TEST_OTHER/],
    ['is short', 'abc', /fewer than 6 letters/],
    ['has a line break', 'abcdef\r\nX-B: c', /^GET [^ ]*: the header A has a line break/],
  ])('that %s is not sent, nor said', async (_, value, reason) => {
    if (value !== undefined) process.env.CHRONIS_TEST_OTHER = value;
    const server = await serve((__, response) => response.end());
    const error = await failure({ url: server.url(), headers: { A: '${env:CHRONIS_TEST_OTHER}' } }, options);
    expect(error).toBeInstanceOf(HttpRefusedError);
    expect(error.message).toMatch(reason);
    expect(error.message).not.toContain('abc');
    expect(server.received).toEqual([]);
  });
});

test('a server that says when is asked again then, by the same key', async () => {
  let calls = 0;
  const server = await serve((_, response) => {
    if (calls++ === 0) response.writeHead(503, { 'Retry-After': '0' }).end();
    else response.end('"done"');
  });
  const app = await TasksApp.boot({ http: local });
  try {
    const attempt = await app.run({ type: 'http', url: server.url() }, { maxRetries: 1, backoff: '1h' });
    expect(attempt).toMatchObject({
      outcome: 'succeeded',
      attempt: 2,
      result: { status: 200, body: '"done"' },
    });
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      attempt.runId,
      attempt.runId,
    ]);
  } finally {
    await app.close();
  }
});

describe.each(['base64', 'base64url'] as const)('a secret in the %s of a longer text', (encoding) => {
  test.each(['', 'a', 'ab', 'user:', 'Bearer ', '{"token":"'])('behind %j is taken out', (before) => {
    for (const plain of [secret, 'sixsix', '??>>~~ÿÿ']) {
      const secrets = new Secrets(() => plain);
      secrets.resolve('${env:A}');
      for (const behind of ['', 'x', 'xy', '"}']) {
        const whole = Buffer.from(before + plain + behind).toString(encoding);
        for (const text of [whole, encodeURIComponent(whole), JSON.stringify({ a: whole })]) {
          const [begin, end, ...more] = secrets.scrub(text).split('***');
          expect(more).toEqual([]);
          // What is left of it are the letters that it shares with its neighbours.
          const decoded = (part: string): string => Buffer.from(part, encoding).toString('latin1');
          if (text === whole) {
            expect(decoded(begin!).length).toBeLessThanOrEqual(before.length + 1);
            expect(decoded(end!).length).toBeLessThanOrEqual(behind.length + 2);
          }
          expect(begin! + end!).not.toContain(Buffer.from(plain).toString(encoding).slice(2, 6));
        }
      }
    }
  });
});

test.each([1, 4, 7, 8, 60, 76])('a secret is found where lines are wrapped after %d letters', (width) => {
  const wrap = (text: string, end: string): string =>
    text.match(new RegExp(`.{1,${width}}`, 'gs'))!.join(end);
  const secrets = new Secrets(() => secret);
  secrets.resolve('${env:A}');
  const base64 = Buffer.from(`user:${secret}`).toString('base64');
  for (const plain of [secret, base64, Buffer.from(secret).toString('hex')]) {
    for (const end of ['\n', '\r\n']) {
      const text = wrap(plain, end);
      for (const kept of [text, JSON.stringify({ a: text })]) {
        const clean = secrets.scrub(kept).replaceAll(/[\r\n]|\\[rn]/g, '');
        expect(clean).toContain('***');
        for (let at = plain === base64 ? 8 : 0; at + 6 <= plain.length; at++)
          expect(clean).not.toContain(plain.slice(at, at + 6));
      }
    }
  }
});

test('long secrets are found in long texts, and whole', () => {
  const plain = Array.from({ length: 400 }, (_, nth) => `A1b2-${nth}/`).join('');
  const secrets = new Secrets(() => plain);
  secrets.resolve('${env:A}');
  const hex = Buffer.from(plain).toString('hex');
  const base64 = Buffer.from(`user:${plain}`).toString('base64');
  const began = performance.now();
  const text = `${'A1b2-C3d4/'.repeat(20_000)}x${plain}, ${encodeURIComponent(plain)}, ${hex}, ${base64}`;
  const clean = secrets.scrub(text).slice(200_001);
  expect(clean).toMatch(/^(?:\*\*\*)+, (?:\*\*\*)+, (?:\*\*\*)+, .{6,8}(?:\*\*\*)+.{0,3}$/);
  expect(performance.now() - began).toBeLessThan(10_000);
});
