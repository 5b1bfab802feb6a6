import { Injectable, Module, type CanActivate, type ExecutionContext, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ChronisHttpModule, type ChronisHttpOptions, type ChronisHttpRoute } from '../../lib/http/index.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { ChronisModule } from '../../lib/index.js';
import { HttpApp, platforms, statusOf } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

class Token {
  readonly secret = 'let me in';
}

@Injectable()
class TokenGuard implements CanActivate {
  constructor(private readonly token: Token) {}
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === this.token.secret;
  }
}
Reflect.defineMetadata('design:paramtypes', [Token], TokenGuard);

@Module({ providers: [Token], exports: [Token] })
class TokenModule {}

const letIn = { authorization: 'let me in' };

describe.each(platforms)('the door of the API on %s', (platform) => {
  let chronis: HttpChronis | undefined;
  let app: HttpApp | undefined;
  afterEach(async () => {
    vi.unstubAllEnvs();
    await chronis?.close();
    await app?.close();
    [chronis, app] = [undefined, undefined];
  });

  describe('without guards', () => {
    test('keeps the application from booting in production, and says what to do', async () => {
      vi.stubEnv('NODE_ENV', 'production');
      for (const options of [{}, { guards: [] }, { readOnly: true }, { access: () => 'read' as const }]) {
        await expect(HttpChronis.boot(platform, options)).rejects.toThrow(
          /guards: ChronisHttpModule has none, and in production .* forRoot\(\{ guards: \[AuthGuard\] \}\)/,
        );
      }
    });

    test('lets this machine in, by the connection and by its name', async () => {
      chronis = await HttpChronis.boot(platform);
      expect((await chronis.get('jobs')).status).toBe(200);
      for (const headers of [
        { 'x-forwarded-for': '127.0.0.1' } as Record<string, string>,
        { forwarded: 'for=127.0.0.1' },
        { host: 'rebound.example.com' },
        { host: 'localhost.example.com' },
      ]) {
        expect([headers, await statusOf(chronis.http.url, '/chronis/jobs', headers)]).toEqual([headers, 403]);
      }
      expect(await statusOf(chronis.http.url, '/chronis/jobs', { host: 'localhost:3000' })).toBe(200);
    });

    test('lets nobody else in, whatever the headers say', async () => {
      chronis = await HttpChronis.boot(platform, {}, (nest) => {
        // As if the connection came from elsewhere.
        nest.use((request: { socket: object }, _: unknown, next: () => void) => {
          Object.defineProperty(request.socket, 'remoteAddress', {
            value: '203.0.113.7',
            configurable: true,
          });
          next();
        });
      });
      const { status, json } = await chronis.get('jobs');
      expect([status, json.code]).toEqual([403, 'http.not-local']);
    });
  });

  test('boots in production with guards, which may need what other modules have, and answers those whom they refuse with a problem', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    chronis = await HttpChronis.boot(platform, { guards: [TokenGuard], imports: [TokenModule] });
    const { status, json, headers } = await chronis.get('jobs');
    expect([status, json]).toEqual([
      403,
      {
        type: 'urn:nestjs-chronis:http.403',
        title: 'Forbidden',
        status: 403,
        detail: 'Forbidden resource',
        code: 'http.403',
      },
    ]);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect((await chronis.get('jobs', letIn)).status).toBe(200);
  });

  test.each([
    ['an instance', { guards: [{ canActivate: () => false }] }, []],
    ['a class that needs something', { guards: [TokenGuard], imports: [TokenModule] }, []],
    ['the application', { guards: 'app' }, [Token, { provide: APP_GUARD, useClass: TokenGuard }]],
  ] as [string, ChronisHttpOptions & ChronisHttpRoute, Provider[]][])(
    'is guarded by %s for each way to write a path, also for HEAD',
    async (_, options, providers) => {
      chronis = await HttpChronis.boot(platform, options, undefined, providers);
      const { url } = chronis.http;
      const known = ['jobs', 'jobs/a', 'jobs/a%2fb', 'jobs/%3Ca%3E', 'events', 'openapi.json', 'runs/1/logs'];
      const odd = [
        'jobs/%2e',
        '%6aobs',
        'JOBS',
        'jobs/',
        'jobs/a.',
        'jobs.',
        '/jobs',
        'jobs//a',
        './jobs',
        '%2e/jobs',
      ];
      const unknown = ['', 'nothing', 'jobs/a/nothing', '..%2fjobs', '%00'];
      for (const path of [...known, ...odd, ...unknown]) {
        for (const method of ['GET', 'HEAD']) {
          const status = await statusOf(url, `/chronis/${path}`, {}, method);
          // What there is not is not there for anybody.
          const may = known.includes(path) ? [403] : [400, 403, 404];
          expect([method, path, may.includes(status) ? may : status]).toEqual([method, path, may]);
        }
      }
      for (const { path, method } of allRoutes.filter((route) => route.method !== 'GET')) {
        const headers = { 'content-type': 'application/json' };
        const status = await statusOf(
          url,
          `/chronis/${path.replaceAll(/:\w+/g, 'a')}`,
          headers,
          method,
          '{}',
        );
        expect([method, path, status]).toEqual([method, path, 403]);
      }
    },
  );

  test('is guarded by the guard of the application where that is said', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const imports = [
      ChronisHttpModule.forRoot({ guards: 'app' }),
      ChronisModule.forRoot({ log: false, autoStart: false }),
    ];
    const providers = [Token, { provide: APP_GUARD, useClass: TokenGuard }];
    app = await HttpApp.boot(platform, { imports, providers });
    expect((await app.send('GET', '/chronis/jobs')).status).toBe(403);
    expect((await app.send('GET', '/chronis/jobs', { headers: letIn })).status).toBe(200);
  });

  test('changes nothing for pages of other sites, nor for what a form can send', async () => {
    chronis = await HttpChronis.boot(platform, { origins: ['https://admin.example.com'] }, (nest) =>
      nest.enableCors({ origin: true, credentials: true }),
    );
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h' });
    const { url } = chronis.http;
    const pause = (headers: Record<string, string>, body = '{}', method = 'POST') =>
      statusOf(url, '/chronis/jobs/report/pause', headers, method, body);
    const json = { 'content-type': 'application/json' };
    expect(await pause({ 'content-type': 'text/plain' })).toBe(415);
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect([415, 400, 500]).toContain(await pause({ 'content-type': type }, 'a=1'));
    expect(await pause({ ...json, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await pause({ ...json, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await pause({ ...json, origin: 'https://evil.example.com' })).toBe(403);
    expect(await pause({ ...json, origin: 'null' })).toBe(403);
    expect(await pause({ ...json, 'x-http-method-override': 'DELETE' })).toBe(403);
    const form = { 'content-type': 'text/plain' };
    expect(await statusOf(url, '/chronis/jobs/report', form, 'DELETE', 'x')).toBe(415);
    expect((await chronis.scheduler.getJob('report'))!.state).toBe('pending');

    const { host } = new URL(url);
    for (const headers of [
      { ...json, 'sec-fetch-site': 'same-origin' },
      { ...json, origin: `http://${host}` },
      { ...json, origin: 'https://admin.example.com', 'sec-fetch-site': 'cross-site' },
      { 'content-type': 'application/json; charset=utf-8' },
    ])
      expect([headers, await pause(headers)]).toEqual([headers, 200]);
  });

  test('lets nothing be changed where it is read-only', async () => {
    chronis = await HttpChronis.boot(platform, { readOnly: true });
    const { status, headers, json } = await chronis.post('jobs', { handler: 'x', every: '1h' });
    expect([status, headers.get('allow'), json.code]).toEqual([405, 'GET, HEAD', 'http.read-only']);
    expect((await chronis.get('jobs')).json.items).toEqual([]);
  });
});

test.each([
  [{ path: '' }, 'path: must be the path'],
  [{ path: ':id' }, 'path: must be the path'],
  [{ guards: 'ap' }, "guards: must be a list of guards, classes or instances, or 'app'."],
  [{ guards: [class NoGuard {}] }, 'guards: must be guards'],
  [{ readonly: true }, 'Did you mean "readOnly"?'],
  [{ readOnly: 'no' }, 'readOnly: must be true or false.'],
  [{ readTimeout: 0 }, 'readTimeout'],
  [{ readTimeout: 'soon' }, 'readTimeout'],
  [{ shareAnswers: 0 }, 'shareAnswers'],
  [{ shareAnswers: true }, 'shareAnswers'],
  [{ access: 'read' }, 'access: must be a function.'],
  [{ origins: ['https://a.example.com/'] }, 'origins: must be origins'],
])('the options %j are refused: %s', (options, text) => {
  expect(() => ChronisHttpModule.forRoot(options as never)).toThrow(text);
});

test('two modules of one path are refused', async () => {
  const imports = [
    ChronisHttpModule.forRoot({ guards: [{ canActivate: () => true }] }),
    ChronisHttpModule.forRoot({ readOnly: true }),
    ChronisModule.forRoot({ log: false, autoStart: false }),
  ];
  await expect(HttpApp.boot('express', { imports })).rejects.toThrow(
    'Two ChronisHttpModules have the path "chronis".',
  );
});
