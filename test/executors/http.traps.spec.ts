import { createGzip } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpRefusedError, InvalidOptionError } from '../../lib/index.js';
import { call, failure, local, problems } from './http.call.js';
import { httpSettings } from '../../lib/executors/http.options.js';
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

async function serveRaw(connected: (socket: Socket) => void): Promise<HttpServer> {
  const server = await HttpServer.raw(connected);
  servers.push(server);
  return server;
}

const anyPublic = { hosts: ['*'] };
const isSpecial =
  /is a private or special address, which the http executor calls only where its option "addresses" names it/;

describe('what is not public', () => {
  test.each([
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0/',
    'http://①②⑦.0.0.1/',
    'http://169.254.169.254/latest/meta-data',
  ])('is refused when the task is made: %s', async (url) => {
    expect(await problems({ url }, anyPublic)).toEqual([expect.stringMatching(isSpecial)]);
  });

  test.each(['localhost', 'localhost.', 'LOCALHOST', 'localhost..'])(
    'is refused under the name %s',
    async (host) => {
      const server = await serve((_, response) => response.end());
      const error = await failure({ url: server.url('/', host) }, anyPublic);
      expect(error).toBeInstanceOf(HttpRefusedError);
      expect(error.message).toMatch(isSpecial);
      expect(error.message).toMatch(/ is (\S+), and \1 is a private or special address/);
      expect(server.received).toEqual([]);
    },
  );

  test('is refused where a name has it beside a public one', async () => {
    for (const addresses of [
      ['93.184.215.14', '10.0.0.1'],
      ['::ffff:7f00:1', '93.184.215.14'],
    ]) {
      const error = await failure(
        { url: 'http://two.test/' },
        { ...anyPublic, lookup: async () => addresses },
      );
      expect(error).toBeInstanceOf(HttpRefusedError);
      expect(error.message).toContain(`two.test is ${addresses.find((each) => each !== '93.184.215.14')}`);
    }
  });

  test('is not reached by a name that is another address when it is asked for again', async () => {
    const inner = await serve((_, response) => response.end('secret of the machine'));
    let asked = 0;
    // The first answer is fine, as far as it goes: it is what is connected to, whatever comes second.
    const lookup = async (): Promise<string[]> => [asked++ === 0 ? '127.0.0.2' : '127.0.0.1'];
    const error = await failure(
      { url: inner.url('/', 'rebound.test') },
      { hosts: ['*'], addresses: ['127.0.0.2'], lookup },
    );
    expect(asked).toBe(1);
    expect(error.message).toContain('ECONNREFUSED 127.0.0.2');
    expect(inner.received).toEqual([]);
  });

  test('is reached where it is named', async () => {
    const server = await serve((_, response) => response.end('here'));
    const options = { hosts: ['inner.test'], addresses: ['127.0.0.1'], lookup: async () => ['127.0.0.1'] };
    expect((await call({ url: server.url('/', 'inner.test.') }, options)).body).toBe('here');
    expect(server.received[0]!.headers.host).toBe(`inner.test.:${server.port}`);
  });
});

describe('a redirect', () => {
  test.each([
    ['to the metadata of a cloud', 'http://169.254.169.254/latest/meta-data', isSpecial],
    ['to them in other clothes', 'http://[::ffff:a9fe:a9fe]/', isSpecial],
    ['to another host', 'http://evil.test/', /evil\.test is none of the hosts/],
    ['to a file', 'file:///etc/passwd', /redirects to file:/],
    ['with a password', 'http://a:b@127.0.0.1/', /redirects with a password/],
    ['to nothing', 'http://[', /where to cannot be understood/],
  ])('%s is refused', async (_, location, reason) => {
    const server = await serve((__, response) => response.writeHead(302, { Location: location }).end());
    const options = { hosts: ['127.0.0.1', '169.254.169.254', '::ffff:a9fe:a9fe'], addresses: ['127.0.0.1'] };
    const error = await failure({ url: server.url() }, options);
    expect(error).toBeInstanceOf(HttpRefusedError);
    expect(error.message).toMatch(reason);
  });

  test('to a name that is private is refused', async () => {
    const server = await serve((_, response) =>
      response.writeHead(302, { Location: 'http://inner.test/' }).end(),
    );
    const lookup = async (name: string): Promise<string[]> => [
      name === 'inner.test' ? '10.0.0.1' : '127.0.0.1',
    ];
    const error = await failure({ url: server.url('/', 'outer.test') }, { ...local, lookup });
    expect(error.message).toContain('inner.test is 10.0.0.1');
  });

  test.each<[number, string, string, string]>([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', '{"n":1}'],
    [307, 'POST', 'POST', '{"n":1}'],
    [308, 'POST', 'POST', '{"n":1}'],
  ])('%s of a %s asks by %s', async (status, method, next, body) => {
    const server = await serve((request, response) => {
      if (request.url === '/a') response.writeHead(status, { Location: 'b?c=1' }).end();
      else response.end('done');
    });
    const task = {
      url: server.url('/a'),
      method: method as 'POST',
      body: { n: 1 },
      headers: { Authorization: 'x' },
    };
    expect((await call(task)).body).toBe('done');
    const [, second] = server.received;
    expect(second).toMatchObject({ method: next, url: '/b?c=1', body });
    expect(second!.headers).toMatchObject({ authorization: 'x', 'idempotency-key': 'run-7' });
    expect(second!.headers['content-type']).toBe(body === '' ? undefined : 'application/json');
  });

  test('to another origin goes without what may be a credential, and so does the way back', async () => {
    const other = await serve((_, response) =>
      response.writeHead(302, { Location: first.url('/back') }).end(),
    );
    const first = await serve((request, response) => {
      if (request.url === '/back') response.end('done');
      else response.writeHead(307, { Location: other.url() }).end();
    });
    const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Api-Key': 'k', 'Accept-Language': 'de' };
    await call({ url: first.url(), headers });
    for (const { headers: sent } of [other.received[0]!, first.received[1]!]) {
      expect(Object.keys(sent).sort()).toEqual([
        'accept',
        'accept-encoding',
        'accept-language',
        'connection',
        'host',
        'idempotency-key',
        'user-agent',
      ]);
    }
  });

  test('is followed five times, and no more', async () => {
    const server = await serve((request, response) => {
      const left = Number(request.url.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { Location: `/${left - 1}` }).end();
    });
    expect((await call({ url: server.url('/5') })).body).toBe('there');
    expect((await failure({ url: server.url('/6') })).message).toContain('redirects more than 5 times');
  });

  test('is an answer where it is not followed', async () => {
    const server = await serve((_, response) => response.writeHead(302, { Location: '/b' }).end());
    expect(await failure({ url: server.url(), followRedirects: false })).toMatchObject({ status: 302 });
    const result = await call({ url: server.url(), successStatus: ['3xx'] });
    expect(result).toMatchObject({ status: 302, headers: { location: '/b' } });
  });
});

describe('an answer', () => {
  const few = { ...local, maxBodyBytes: 1_000_000 };

  /** Writes for ever, as fast as it is read; resolves with how much it was. */
  function pour(response: ServerResponse, chunk: Buffer): void {
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', write);
    };
    write();
  }

  test('without end is not read on', async () => {
    let isClosed!: () => void;
    const closed = new Promise<void>((resolve) => (isClosed = resolve));
    const server = await serve((_, response) => {
      response.on('close', isClosed);
      pour(response, Buffer.alloc(64 * 1_024));
    });
    expect((await failure({ url: server.url() }, few)).message).toContain('longer than the 1000000 bytes');
    await closed;
  });

  test('without end of one that has failed is not read on either', async () => {
    const server = await serve((_, response) => pour(response.writeHead(500), Buffer.alloc(64 * 1_024)));
    expect((await failure({ url: server.url() }, few)).message).toContain('longer than the 1000000 bytes');
  });

  test('that unpacks to much more is not unpacked on', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      const gzip = createGzip({ level: 9 });
      gzip.pipe(response);
      gzip.on('error', () => {});
      // 300 MB in 300 kB.
      for (let megabytes = 0; megabytes < 300; megabytes++) gzip.write(Buffer.alloc(1_000_000));
      gzip.end();
    });
    expect((await failure({ url: server.url() }, few)).message).toContain(
      'unpacked longer than the 1000000 bytes',
    );
  });

  test('that is packed twice, or broken, fails', async () => {
    const server = await serve((request, response) => {
      response
        .writeHead(200, { 'Content-Encoding': request.url === '/twice' ? 'gzip, gzip' : 'gzip' })
        .end('no gzip');
    });
    expect((await failure({ url: server.url('/twice') })).message).toContain(
      'packs its answer by "gzip, gzip"',
    );
    expect((await failure({ url: server.url('/broken') })).message).toContain('incorrect header check');
    const named = await serve((_, response) =>
      response.writeHead(200, { 'Content-Encoding': 'constructor' }).end('x'),
    );
    expect((await failure({ url: named.url() })).message).toContain('packs its answer by "constructor"');
  });

  test.each([
    ['gzip', { 'Content-Length': '0' }],
    ['x-gzip', {}],
    ['br', {}],
    ['gzip, gzip', {}],
    ['deflate', { 'Content-Length': '0' }],
  ])('that is empty, and said to be %s, is empty', async (coding, headers) => {
    const server = await serve((_, response) => {
      // Without a length it is sent in chunks, of which there is none.
      response.writeHead(200, { 'Content-Encoding': coding, ...headers });
      response.flushHeaders();
      response.end();
    });
    expect(await call({ url: server.url() })).toMatchObject({ status: 200, bodyBytes: 0 });
    expect(server.received).toHaveLength(1);
  });

  test('with endless headers, or too many, fails', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const write = (): void => {
        while (!socket.destroyed && socket.write(`X-A: ${'a'.repeat(1_000)}\r\n`));
        if (!socket.destroyed) socket.once('drain', write);
      };
      write();
    });
    expect((await failure({ url: server.url() })).message).toContain('Header overflow');
  });

  test('whose headers come slowly fails', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('X-A: a\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const error = await failure({ url: server.url() }, { ...local, firstByteTimeout: 150 });
    expect(error.message).toContain('did not begin to answer within 150 ms');
  });

  test('of a server that accepts connections and does not speak fails', async () => {
    const server = await serveRaw(() => {});
    const options = { ...local, connectTimeout: 150 };
    const error = await failure({ url: server.url('/', '127.0.0.1', 'https') }, options);
    expect(error.message).toContain('there was no connection within 150 ms');
  });

  test('that waits for a resolver without end fails', async () => {
    const lookup = (): Promise<string[]> => new Promise(() => {});
    const error = await failure({ url: 'http://a.test/' }, { ...local, lookup, connectTimeout: 150 });
    expect(error.message).toContain('there was no connection within 150 ms');
  });

  test('whose body comes slowly fails', async () => {
    const server = await serve((_, response) => {
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const error = await failure({ url: server.url(), timeout: 200 });
    expect(error.message).toContain('it took longer than 200 ms');
  });

  test('after notes without end fails', async () => {
    const server = await serveRaw((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    expect((await failure({ url: server.url(), timeout: 200 })).message).toContain('took longer than 200 ms');
  });

  test.each([
    ['breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', /aborted|closed|reset/i],
    ['is none', 'SSH-2.0-OpenSSH_9\r\n', /Parse Error|Expected HTTP/],
    ['is missing', '', /socket hang up|closed/],
    ['has a line break in a header', 'HTTP/1.1 200 OK\r\nX-A: a\rb\r\n\r\n', /Parse Error|CR/],
    [
      'wants another protocol',
      'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n',
      /another protocol/,
    ],
    [
      'has two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      /Parse Error|Content-Length/,
    ],
  ])('that %s fails', async (_, bytes, reason) => {
    const server = await serveRaw((socket) => void socket.once('data', () => socket.end(bytes)));
    expect((await failure({ url: server.url() })).message).toMatch(reason);
  });

  test('is not waited for once the run is to stop', async () => {
    const stop = new AbortController();
    const server = await serve(() => stop.abort(new Error('The run was cancelled.')));
    expect((await failure({ url: server.url() }, local, stop.signal)).message).toBe('The run was cancelled.');
  });
});

describe('a task', () => {
  test.each<[string, unknown, RegExp]>([
    ['a line break in a header', { headers: { 'X-A': 'a\r\nX-B: b' } }, /^headers\.X-A: has a line break/],
    [
      'one in the name of a header',
      { headers: { 'X-A\r\nX-B': 'b' } },
      /^headers\..*is no name that a header may have/s,
    ],
    [
      'a header of the connection',
      { headers: { Host: 'evil.test' } },
      /^headers\.Host: is for the http executor to set/,
    ],
    ['a length of its own', { headers: { 'content-length': '1' } }, /is for the http executor to set/],
    ['a header twice', { headers: { a: '1', A: '2' } }, /^headers\.A: is given twice/],
    ['a password', { url: 'http://me:secret@a.test/' }, /^url: has a password/],
    ['another protocol', { url: 'ftp://a.test/' }, /^url: must begin with http/],
    ['no URL', { url: undefined }, /^url: must begin with http/],
    ['a variable in the URL', { url: 'http://a.test/${env:TOKEN}' }, /^url: may not refer to variables/],
    [
      'a variable that is not named',
      { headers: { a: '${env:PATH}' } },
      /^headers: refers to "PATH", which is none/,
    ],
    ['one in the depth of a body', { body: { a: [{ b: 'x${env:HOME}' }] } }, /^body: refers to "HOME"/],
    ['a body of a GET', { method: 'GET', body: 'a' }, /^body: goes with no GET/],
    ['an unknown method', { method: 'CONNECT' }, /^method: must be one of/],
    [
      'an option that there is not',
      { header: {} },
      /^header: there is no such option\. Did you mean "headers"\?/,
    ],
    [
      'a timeout that is too long',
      { timeout: '2h' },
      /^timeout: may be no longer than that of the http executor/,
    ],
    ['a status that there is not', { successStatus: ['6xx'] }, /^successStatus: must be a list/],
    ['a query of objects', { query: { a: {} } }, /^query\.a: must be text/],
    ['no object', 'a', /must be an object/],
  ])('with %s is refused', async (_, wrong, reason) => {
    const task = typeof wrong === 'object' ? { url: 'http://a.test/', ...wrong } : wrong;
    expect((await problems(task, { hosts: ['*'], env: ['TOKEN'] }))?.[0]).toMatch(reason);
  });

  test('of a host that is not allowed is refused', async () => {
    const options = { hosts: ['*.example.com'] };
    expect(await problems({ url: 'https://a.example.com/' }, options)).toBeNull();
    expect(await problems({ url: 'https://example.com/' }, options)).toEqual([
      'url: example.com is none of the hosts that the http executor allows (http.hosts)',
    ]);
  });
});

test.each<[string, object, RegExp]>([
  ['no hosts', {}, /http\.hosts: names no host/],
  ['a host that is a URL', { hosts: ['https://a.test'] }, /http\.hosts.*"https:\/\/a\.test" is none/],
  [
    'a range that is none',
    { hosts: ['*'], addresses: ['10.0.0/8'] },
    /http\.addresses.*"10\.0\.0\/8" is none/,
  ],
  ['an unknown option', { hosts: ['*'], adresses: [] }, /Did you mean "addresses"/],
  ['a variable that is none', { hosts: ['*'], env: ['A-B'] }, /http\.env.*"A-B" is none/],
  ['too much time', { hosts: ['*'], timeout: '30d' }, /http\.timeout.*1 day at most/],
  ['a body without bound', { hosts: ['*'], maxBodyBytes: Infinity }, /http\.maxBodyBytes.*Infinity/],
])('options with %s are refused', (_, options, reason) => {
  const make = (): unknown => httpSettings(options as never);
  expect(make).toThrow(InvalidOptionError);
  expect(make).toThrow(reason);
});
