import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import {
  Catch,
  ValidationPipe,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import helmet from 'helmet';
import { map } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

class Wrapping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Catch()
class OwnFilter implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<{ send(body: unknown): void }>().send('the filter of the application');
  }
}

/** What applications do to all that they answer. */
function hostile(app: INestApplication): void {
  compress(app);
  app.use(helmet());
  app.setGlobalPrefix('api/v1');
  app.enableVersioning();
  app.enableCors({ origin: true, credentials: true });
  app.useGlobalInterceptors(new Wrapping());
  app.useGlobalFilters(new OwnFilter());
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
}

/** As the usual libraries do it: what is to go out as it is, because it goes on, is left alone. */
function compress(app: INestApplication): void {
  const instance = app.getHttpAdapter().getInstance() as { addHook?: AddHook };
  if (instance.addHook === undefined) return void app.use(compressing);
  instance.addHook('onSend', (_, reply, text, done) => {
    if (typeof text !== 'string') return done(null, text);
    reply.header('content-encoding', 'gzip').removeHeader('content-length');
    done(null, gzipSync(text));
  });
}

interface Reply {
  header(name: string, value: string): Reply;
  removeHeader(name: string): Reply;
}
type AddHook = (
  name: 'onSend',
  hook: (request: unknown, reply: Reply, text: unknown, done: (error: null, text: unknown) => void) => void,
) => unknown;

function compressing(_: unknown, response: ServerResponse, next: () => void): void {
  const end = response.end.bind(response);
  response.end = function (this: ServerResponse, ...given: unknown[]) {
    const [text] = given;
    const isText = typeof text === 'string' || Buffer.isBuffer(text);
    if (this.headersSent || !isText) return Reflect.apply(end, undefined, given) as ServerResponse;
    const packed = gzipSync(text);
    this.setHeader('content-encoding', 'gzip').setHeader('content-length', packed.length);
    return end(packed);
  } as typeof end;
  next();
}

/** One after the other: what looks, what changes, and what is refused. */
const requests: [method: string, path: string, body?: unknown, headers?: Record<string, string>][] = [
  [
    'POST',
    'jobs',
    { id: 'report', handler: 'report', cron: { hour: 9 }, payload: { to: ['a'], data: { data: 1 } } },
  ],
  ['POST', 'jobs', { id: 'once', handler: 'mail', in: 3_600_000, payload: 'x'.repeat(20_000) }],
  ['POST', 'jobs', { id: 'report', handler: 'report', every: '1h' }],
  ['POST', 'jobs', { handler: 'report', evry: '1h' }],
  ['POST', 'jobs', '[]'],
  ['PATCH', 'jobs/report', { maxRetries: 2 }, { 'if-match': '"1"' }],
  ['PATCH', 'jobs/report', { maxRetries: 3 }, { 'if-match': '"1"' }],
  ['POST', 'jobs/report/pause', { reason: 'hot', until: '2h' }],
  ['POST', 'jobs/report/resume'],
  ['POST', 'jobs/report/runs'],
  ['POST', 'jobs/nothing/runs'],
  ['POST', 'pauses', { scope: { queue: 'mails' } }],
  ['DELETE', 'pauses?queue=mails'],
  ['DELETE', 'pauses?queue=mails'],
  ['POST', 'bulk-actions', { action: 'pause', filter: {}, dryRun: true }],
  ['DELETE', 'jobs/report'],
  ['GET', 'jobs?total=true'],
  ['GET', 'jobs?stat=failed'],
  ['GET', 'jobs/once'],
  ['GET', 'jobs/nothing'],
  ...[
    'runs',
    'attempts',
    'gaps',
    'failures',
    'audit',
    'pauses',
    'queues',
    'statistics',
    'workflows',
    'bulk-actions',
    'openapi.json',
  ].map((path): [string, string] => ['GET', path]),
  ['GET', 'jobs/once/preview'],
  ['GET', 'forecast?bucket=1h'],
];

describe.each(platforms)('what is answered on %s', (platform) => {
  const booted: HttpChronis[] = [];
  afterEach(async () => {
    for (const chronis of booted.splice(0)) await chronis.close();
  });

  const boot = async (prepare?: (app: INestApplication) => unknown): Promise<HttpChronis> => {
    const chronis = await HttpChronis.boot(platform, { path: 'ops/jobs' }, prepare);
    booted.push(chronis);
    return chronis;
  };

  test('is the same in an application with a prefix, versions, and interceptors, filters, pipes and compression for everything', async () => {
    const [plain, spoilt] = [await boot(), await boot(hostile)];
    for (const [method, path, body, headers] of requests) {
      const answer = async ({ http }: HttpChronis, before: string) => {
        const {
          status,
          json,
          headers: got,
        } = await http.send(method, `${before}/ops/jobs/${path}`, {
          body,
          ...(headers && { headers }),
        });
        const kept = [
          'content-type',
          'cache-control',
          'etag',
          'x-content-type-options',
          'allow',
          'retry-after',
        ];
        return { path, status, json: timeless(json), headers: kept.map((name) => got.get(name)) };
      };
      const expected = await answer(plain, '');
      expect(await answer(spoilt, '/api/v1')).toEqual(expected);
      expect(expected.status).toBeLessThan(500);
    }
    const { headers } = await fetch(`${spoilt.http.url}/api/v1/ops/jobs/jobs`);
    expect([headers.get('content-encoding'), headers.get('content-security-policy')]).toEqual([
      'gzip',
      expect.any(String),
    ]);
  });

  test('goes on as it comes where all else is compressed', async () => {
    const chronis = await boot(hostile);
    const events = await fetch(`${chronis.http.url}/api/v1/ops/jobs/events`);
    expect([events.headers.get('content-encoding'), events.headers.get('cache-control')]).toEqual([
      null,
      'no-store, no-transform',
    ]);
    const reader = events.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^retry: 1000/);
    await reader.cancel();
  });

  test('to a body that is longer than the application takes is its refusal, and nothing is made', async () => {
    const chronis = await boot();
    const body = { id: 'large', handler: 'mail', in: 0, payload: 'x'.repeat(2 * 1_048_576) };
    expect((await chronis.http.send('POST', '/ops/jobs/jobs', { body })).status).toBe(413);
    expect(await chronis.scheduler.countJobs()).toBe(0);
  });
});

/** What does not depend on the process. */
function timeless(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (key, value: unknown) =>
    ['id', 'runId', 'workerId'].includes(key) && typeof value === 'string' && /^\d+$/.test(value)
      ? '#'
      : value,
  );
}
