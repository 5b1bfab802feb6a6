import { RequestMethod, VersioningType, type INestApplication, type VersioningOptions } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import { ChronisHealthModule } from '../../lib/health/index.js';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule, MemoryStorage } from '../../lib/index.js';
import { ChronisMetricsModule } from '../../lib/metrics/index.js';
import { HttpApp, platforms, statusOf } from '../support/http.app.js';
import { HttpProxy } from '../support/http.proxy.js';

const prefixes: [name: string, set: (app: INestApplication) => unknown, before: string][] = [
  ['no prefix', () => undefined, ''],
  ['the prefix api', (app) => app.setGlobalPrefix('api'), '/api'],
  ['the prefix /api/v1', (app) => app.setGlobalPrefix('/api/v1'), '/api/v1'],
  [
    'a prefix that leaves it out',
    (app) =>
      app.setGlobalPrefix('api', {
        exclude: ['chronis', 'health', 'metrics'].flatMap((path) => [
          { path, method: RequestMethod.ALL },
          { path: `${path}/*path`, method: RequestMethod.ALL },
        ]),
      }),
    '',
  ],
];
const versions: [name: string, options: VersioningOptions | null][] = [
  ['no versions', null],
  ['versions in the URI', { type: VersioningType.URI, defaultVersion: '1' }],
  ['versions in a header', { type: VersioningType.HEADER, header: 'x-version' }],
];
/** What a proxy makes of the path, and where the API is behind it. */
const ways: [name: string, from: string, to: string][] = [
  ['keeps the path', '', ''],
  ['takes a prefix away', '/ops', ''],
  ['renames it', '/jobs-of-acme', '/chronis'],
];

describe.each(platforms)('the API on %s', (platform) => {
  let app: HttpApp;
  let proxy: HttpProxy | undefined;
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    await app.close();
  });

  const boot = async (prepare: (nest: INestApplication) => unknown) => {
    const guards = [{ canActivate: () => true }];
    const imports = [
      ChronisHttpModule.forRoot({ guards }),
      ChronisHealthModule.forRoot({ path: 'health' }),
      ChronisMetricsModule.forRoot({ path: 'metrics' }),
      ChronisModule.forRoot({
        log: false,
        autoStart: false,
        allowUnknownHandler: true,
        storage: new MemoryStorage(),
      }),
    ];
    app = await HttpApp.boot(platform, { imports }, prepare);
  };

  const works = async (at: string): Promise<void> => {
    const id = encodeURIComponent('a/b.c');
    const made = await app.send('POST', `${at}/jobs`, { body: { id: 'a/b.c', handler: 'x', every: '1h' } });
    expect([at, made.status, made.json.id]).toEqual([at, 201, 'a/b.c']);
    expect((await app.send('POST', `${at}/jobs/${id}/pause`)).json.state).toBe('paused');
    expect((await app.send('GET', `${at}/jobs/${id}`)).json.id).toBe('a/b.c');
    expect((await app.send('GET', `${at}/jobs/`)).status).toBeOneOf([200, 404]);
    expect((await fetch(`${app.url}${at}/jobs`, { method: 'HEAD' })).status).toBe(200);
    const events = await fetch(`${app.url}${at}/events`);
    expect([events.status, events.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    await events.body!.cancel();
  };

  describe.each(versions)('with %s', (_, versioning) => {
    test.each(prefixes)(
      'and %s is where it says, of no version, and nowhere else',
      async (__, set, before) => {
        await boot((nest) => {
          set(nest);
          if (versioning !== null) nest.enableVersioning(versioning);
        });
        await works(`${before}/chronis`);
        for (const path of ['/health', '/metrics'])
          expect([path, (await app.get(before + path)).status]).toEqual([path, 200]);
        for (const elsewhere of [
          '/chronis/jobs',
          '/api/chronis/jobs',
          '/v1/chronis/jobs',
          '/api/v1/chronis/jobs',
          '//chronis/jobs',
          '/chronis//jobs',
        ]) {
          if (elsewhere === `${before}/chronis/jobs`) continue;
          expect([elsewhere, await statusOf(app.url, elsewhere)]).toEqual([elsewhere, 404]);
        }
      },
    );
  });

  test.each(ways)('works behind a proxy that %s', async (_, from, to) => {
    await boot(() => undefined);
    proxy = await HttpProxy.listen(app.url, (path) => to + path.slice(from.length));
    const { url } = proxy;
    const outside = to === '' ? `${from}/chronis` : from;
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const body = JSON.stringify({ id: 'a', handler: 'x', every: '1h' });
    const made = await fetch(`${url}${outside}/jobs`, { method: 'POST', headers, body });
    expect([made.status, made.headers.get('location')]).toEqual([201, null]);
    expect((await fetch(`${url}${outside}/jobs/a`)).status).toBe(200);
    // Relative to where the document is, so whatever the proxy calls it.
    const document = await fetch(`${url}${outside}/openapi.json`);
    const { servers } = (await document.json()) as { servers: [{ url: string }] };
    const listed = await fetch(new URL(`${servers[0].url}/jobs`, document.url));
    expect([listed.url, listed.status]).toEqual([`${url}${outside}/jobs`, 200]);
    const events = await fetch(`${url}${outside}/events`);
    const { value } = await events.body!.getReader().read();
    expect(new TextDecoder().decode(value)).toMatch(/^retry: 1000/);
  });
});
