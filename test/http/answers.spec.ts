import { readFileSync } from 'node:fs';
import type { ExecutionContext } from '@nestjs/common';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { problemOf } from '../../lib/http/problem.js';
import { statuses } from '../../lib/http/problem.statuses.js';
import {
  ChronisModule,
  getSchedulerToken,
  InvalidPayloadError,
  MemoryStorage,
  SchedulerService,
  StorageBusyError,
} from '../../lib/index.js';
import { HttpApp, platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

describe.each(platforms)('what is answered on %s', (platform) => {
  let chronis: HttpChronis | undefined;
  let app: HttpApp | undefined;
  afterEach(async () => {
    vi.restoreAllMocks();
    await chronis?.close();
    await app?.close();
    [chronis, app] = [undefined, undefined];
  });

  test('of two modules each is of its own scheduler, by its own guards', async () => {
    const guard = (word: string) => ({
      canActivate: (context: ExecutionContext) =>
        context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers.authorization ===
        word,
    });
    const quiet = { log: false as const, autoStart: false, allowUnknownHandler: true };
    const imports = [
      ChronisHttpModule.forRoot({ path: 'one', guards: [guard('one')] }),
      ChronisHttpModule.forRootAsync({
        path: 'two',
        guards: [guard('two')],
        instance: 'other',
        useFactory: async () => ({ readOnly: true }),
      }),
      ChronisModule.forRoot({ ...quiet, instance: 'other', storage: new MemoryStorage() }),
      ChronisModule.forRoot({ ...quiet, storage: new MemoryStorage() }),
    ];
    app = await HttpApp.boot(platform, { imports });
    await app.app.get(SchedulerService).createJob({ id: 'of-one', handler: 'x', every: '1h' });
    const other = app.app.get<SchedulerService>(getSchedulerToken('other'));
    await other.createJob({ id: 'of-other', handler: 'x', every: '1h' });
    const ids = async (path: string, authorization: string) => {
      const { status, json } = await app!.send('GET', `/${path}/jobs`, { headers: { authorization } });
      return status === 200 ? json.items.map(({ id }: { id: string }) => id) : status;
    };
    expect([await ids('one', 'one'), await ids('two', 'two')]).toEqual([['of-one'], ['of-other']]);
    expect([await ids('one', 'two'), await ids('two', 'one')]).toEqual([403, 403]);
    const headers = { authorization: 'two' };
    expect((await app.send('POST', '/two/jobs', { body: {}, headers })).status).toBe(405);
  });

  test('shows of what jobs bring what the function lets through, everywhere', async () => {
    const redact = (_: unknown, path: string) => `hidden at ${path}`;
    chronis = await HttpChronis.boot(platform, { redact });
    const { scheduler } = chronis;
    await scheduler.createJob({
      id: 'report',
      handler: 'report',
      every: '1h',
      payload: { card: 'secret-1' },
      metadata: { note: 'secret-2' },
    });
    await scheduler.pauseJob('report', { reason: 'secret-3' });
    const answers = [await chronis.get('jobs/report'), await chronis.get('jobs')];
    expect(answers[0]!.json).toMatchObject({
      payload: 'hidden at payload',
      paused: { reason: 'hidden at paused.reason' },
    });
    expect(answers[1]!.json.items[0].metadata).toBe('hidden at items[0].metadata');
    for (const { json } of answers) expect(JSON.stringify(json)).not.toContain('secret');
  });

  test('shows no secrets, nor what the option of ChronisModule hides, and stores both', async () => {
    const redact = { keys: ['iban'], by: (value: unknown) => value };
    chronis = await HttpChronis.boot(platform, {}, undefined, [], { redact });
    const payload = { iban: 'X1', headers: { Authorization: 'Bearer x' }, url: 'redis://a:b@c', n: 1 };
    await chronis.scheduler.createJob({ id: 'report', handler: 'report', every: '1h', payload });
    expect((await chronis.get('jobs/report')).json.payload).toEqual({
      ...{ iban: '***', headers: { Authorization: '***' }, url: 'redis://a:***@c', n: 1 },
    });
    expect((await chronis.scheduler.getJob('report'))?.payload).toEqual(payload);
  });

  test('shows no secrets in what stands in the way either', async () => {
    const by = (value: unknown) => (typeof value === 'string' ? value.replaceAll('DE89', '####') : value);
    chronis = await HttpChronis.boot(platform, {}, undefined, [], { redact: { by } });
    const id = encodeURIComponent('postgres://app:hunter2@db/DE89');
    const { status, json } = await chronis.get(`jobs/${id}`);
    expect(status).toBe(404);
    expect(json.detail).toContain('"postgres://app:***@db/####"');
    const wrong = await chronis.get('jobs?state=postgres://app:hunter2@db/DE89');
    expect(wrong.status).toBe(400);
    expect(wrong.json.issues[0].message).toContain('app:***@db/####');
    for (const answer of [json, wrong.json]) expect(JSON.stringify(answer)).not.toMatch(/hunter2|DE89/);
    // As it is told later, of one of many.
    const filter = { state: 'postgres://app:hunter2@db/DE89' };
    const { json: failing } = await chronis.post('bulk-actions', { action: 'pause', filter, expected: 1 });
    for (;;) {
      const told = (await chronis.get(`bulk-actions/${failing.id}`)).json;
      if (told.state === 'running') continue;
      expect(told.problem.detail).toContain('app:***@db/####');
      break;
    }
  });

  test('says nothing of an error that nobody expected', async () => {
    chronis = await HttpChronis.boot(platform);
    vi.spyOn(chronis.scheduler, 'queryJobs').mockRejectedValue(new Error('password=hunter2'));
    const { status, json } = await chronis.get('jobs');
    expect([status, json]).toEqual([
      500,
      {
        type: 'urn:nestjs-chronis:http.failed',
        title: 'Internal Server Error',
        status: 500,
        detail: 'Something went wrong. The log of the application has it.',
        code: 'http.failed',
      },
    ]);
  });
});

test('an error of the storage says when to come back', () => {
  const { problem, headers } = problemOf(new StorageBusyError('The run was locked for 5 s.'));
  expect([problem.status, problem.code, headers]).toEqual([
    503,
    'CHRONIS_STORAGE_BUSY',
    { 'Retry-After': '5' },
  ]);
});

test('the issues of a payload are told by their paths', () => {
  const error = new InvalidPayloadError('payload', 'does not fit', [
    { path: ['items', 3, 'price'], message: 'is no number' },
  ]);
  expect(problemOf(error).problem.issues).toEqual([{ path: 'items.3.price', message: 'is no number' }]);
});

test('whatever is thrown becomes a problem', () => {
  for (const thrown of [undefined, null, 'text', 7, { code: 'ECONNREFUSED' }, { code: 'CHRONIS_UNHEARD_OF' }])
    expect(problemOf(thrown).problem).toMatchObject({ status: 500, code: 'http.failed' });
});

/** What no call of the API can throw: it is about the boot, or for handlers. */
const elsewhere = [
  ...['DUPLICATE_JOB', 'DUPLICATE_HANDLER', 'INVALID_HANDLER', 'SCHEDULER_RUNNING', 'SCHEDULER_STOPPED'],
  ...['RUN_WAIT_TIMEOUT', 'OPEN_DEADLINE', 'BINARY_REFUSED', 'COMMAND_FAILED', 'COMMAND_REFUSED'],
  ...['HTTP_FAILED', 'HTTP_REFUSED', 'EMIT_FAILED', 'TEST_TABLES', 'UNRECOVERABLE', 'PAYLOAD_MISMATCH'],
  ...['RETRY_AFTER', 'RUN_ABORTED', 'CLAIM_LOST', 'DURABLE_STEP_MISMATCH', 'STEP_RESULT', 'STEP_TIMEOUT'],
  ...['SIGNAL_TIMEOUT', 'RUN_SETTLED', 'RESULT_TOO_LARGE', 'STEP_RESULT_MISSING', 'NO_WORKFLOW_STEP'],
].map((code) => `CHRONIS_${code}`);

test('each error of the package has a status, or cannot come here', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const codes = [...page.matchAll(/^\| `(CHRONIS_\w+)` \|/gm)].map(([, code]) => code!);
  expect([...Object.values(statuses).flat(), ...elsewhere].toSorted()).toEqual(codes.toSorted());
});
