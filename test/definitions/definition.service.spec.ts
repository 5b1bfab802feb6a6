import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  defineJob,
  DefinitionNotFoundError,
  DefinitionService,
  DefinitionsNotSupportedError,
  DefinitionVersionTakenError,
  HandlerNotFoundError,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidScheduleError,
  MemoryStorage,
  type HandlerDefinition,
  type RunContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;
const mail = {
  name: 'mail',
  handler: 'send',
  queue: 'mails',
  maxRetries: 2,
  payload: { to: { $param: '/to' }, subject: 'Hello' },
  params: { type: 'object', required: ['to'], properties: { to: { type: 'string' } } },
};

describe('definitions', () => {
  let app: NestApp;
  let definitions: DefinitionService;
  let ran: RunContext<any>[];

  beforeEach(async () => {
    ran = [];
    app = await NestApp.boot({ chronis: { queues: ['default', 'mails'] } });
    definitions = app.app.get(DefinitionService);
    app.scheduler.registerHandler('send', (context) => void ran.push(context));
  });
  afterEach(() => app.close());

  test('are started with params, which fill the payload', async () => {
    const { status, definition } = await definitions.define(mail, { by: 'ada' });
    expect(status).toBe('created');
    expect(definition).toMatchObject({
      ...{ namespace: 'default', name: 'mail', version: 1, kind: 'handler', app: 'default', source: 'api' },
      ...{ createdBy: 'ada', deletedAt: null, paramsSchema: mail.params },
      spec: { handler: 'send', queue: 'mails', maxRetries: 2, payload: mail.payload },
    });
    const started = await definitions.start('mail', { params: { to: 'bob' }, metadata: { team: 'a' } });
    expect(started).toMatchObject({ status: 'created', version: 1 });
    expect(started.job).toMatchObject({
      ...{ handler: 'send', queue: 'mails', policies: { maxRetries: 2 }, app: 'default' },
      metadata: { team: 'a', chronis_definition: 'mail@1' },
    });
    await app.settle();
    expect(ran.map(({ payload }) => payload as unknown)).toEqual([{ to: 'bob', subject: 'Hello' }]);
  });

  test('without a payload hand on the params', async () => {
    await definitions.define({ name: 'plain', handler: 'send' });
    await definitions.start('plain', { params: [1, { $param: '/a' }] });
    await definitions.start('plain');
    await app.settle();
    expect(ran.map(({ payload }) => payload as unknown)).toEqual([[1, { $param: '/a' }], null]);
  });

  test('get another version with other content, and what was started keeps its own', async () => {
    await definitions.define(mail);
    expect((await definitions.define(mail)).status).toBe('existing');
    await definitions.start('mail', { params: { to: 'first' }, delay: '1m' });
    const changed = await definitions.define({ ...mail, payload: { subject: 'Bye' } });
    expect(changed).toMatchObject({ status: 'created', definition: { version: 2 } });
    await definitions.start('mail', { params: { to: 'second' } });
    await definitions.start('mail', { params: { to: 'third' }, version: 1 });
    await app.settle();
    await app.clock.advanceBy(minute);
    expect(ran.map(({ payload }) => payload as unknown)).toEqual([
      { subject: 'Bye' },
      { to: 'third', subject: 'Hello' },
      { to: 'first', subject: 'Hello' },
    ]);
  });

  test('refuse params that do not fit, or lack what the payload needs', async () => {
    await definitions.define(mail);
    await expect(definitions.start('mail', { params: { to: 7 } })).rejects.toThrow(
      'params: do not fit the schema of the definition mail@1: at params.to: must be string.',
    );
    await definitions.define({ ...mail, name: 'loose', params: {} });
    await expect(definitions.start('loose')).rejects.toThrow('have nothing at "/to"');
    await expect(definitions.start('loose', { params: new Date(0) as never })).rejects.toThrow(
      InvalidPayloadError,
    );
    expect(await app.scheduler.countJobs()).toBe(0);
  });

  test('are due after their delay, or when the start says', async () => {
    await definitions.define({ name: 'later', handler: 'send', delay: '5m' });
    const now = app.clock.now();
    const due = async (options: object): Promise<number> =>
      (await definitions.start('later', options)).job.nextRunAt!.getTime() - now;
    expect(await due({})).toBe(5 * minute);
    expect(await due({ delay: '1m' })).toBe(minute);
    expect(await due({ at: new Date(now + 7 * minute) })).toBe(7 * minute);
    await expect(definitions.start('later', { at: new Date(now), delay: 1 })).rejects.toThrow(
      'at: is given beside "delay"',
    );
  });

  test('with a key are started once, as long as the job is there', async () => {
    await definitions.define({ name: 'once', handler: 'send', delay: '1m', keep: '1h' });
    const first = await definitions.start('once', { key: 'order:7', params: 1 });
    const again = await definitions.start('once', { key: 'order:7', params: 2 });
    expect([first.status, again.status]).toEqual(['created', 'existing']);
    expect(again.job.payload).toBe(1);
    await app.clock.advanceBy(2 * minute);
    expect((await definitions.start('once', { key: 'order:7' })).status).toBe('existing');
    expect(ran).toHaveLength(1);
  });

  test('that recur become one job, which is that of the version that was started last', async () => {
    const report = {
      name: 'report',
      handler: 'send',
      cron: '*/5 * * * *',
      payload: { of: { $param: '/of' } },
    };
    await definitions.define(report);
    const first = await definitions.start('report', { params: { of: 'a' } });
    expect([first.status, first.job.id]).toEqual(['created', 'report']);
    await definitions.define({ ...report, priority: 'high' });
    const next = await definitions.start('report', { params: { of: 'b' } });
    expect(next).toMatchObject({
      status: 'replaced',
      version: 2,
      job: { payload: { of: 'b' }, priority: 2 },
    });
    expect(next.job.nextRunAt).toEqual(first.job.nextRunAt);
    expect((await definitions.start('report', { key: 'other', params: { of: 'c' } })).job.id).toBe('other');
    await app.clock.advanceBy(5 * minute);
    expect(ran.map(({ payload }) => (payload as { of: string }).of).toSorted()).toEqual(['b', 'c']);
    await expect(definitions.start('report', { params: { of: 1 }, delay: '1m' })).rejects.toThrow(
      'delay: is for what runs once, and this definition recurs',
    );
  });

  test('are put in bulk, each with a result of its own', async () => {
    await definitions.define(mail);
    const results = await definitions.defineMany([
      mail,
      { ...mail, maxRetries: -1 },
      { ...mail, version: 1, queue: 'default' },
      { name: 'other', handler: 'send' },
      null as never,
      { name: 'other', handler: 'send', priority: 1 },
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      ...['existing', 'rejected', 'rejected', 'created', 'rejected', 'created'],
    ]);
    const errors = results.map((result) => ('error' in result ? result.error : null));
    expect(errors[1]).toBeInstanceOf(InvalidOptionError);
    expect(errors[2]).toBeInstanceOf(DefinitionVersionTakenError);
    expect(String(errors[2])).toContain(
      'Version 1 of the definition "mail" in the namespace "default" has other content',
    );
    expect(errors[4]).toBeInstanceOf(InvalidOptionError);
    expect((await definitions.list()).items.map(({ name, version }) => `${name}@${version}`)).toEqual([
      ...['mail@1', 'other@1', 'other@2'],
    ]);
  });

  test('that are deleted start nothing any more, and are read by their version', async () => {
    await definitions.define(mail);
    await definitions.define({ ...mail, queue: 'default' });
    expect(await definitions.delete('mail', { version: 2 })).toBe(1);
    expect((await definitions.get('mail'))!.version).toBe(1);
    expect((await definitions.get('mail', { version: 2 }))!.deletedAt).toEqual(new Date(app.clock.now()));
    const params = { to: 'bob' };
    await expect(definitions.start('mail', { version: 2, params })).rejects.toThrow(
      /There is no version 2 of definition "mail" in the namespace "default" any more: it was deleted at .*Z\. The latest is version 1\./,
    );
    await expect(definitions.start('mail', { version: 3, params })).rejects.toThrow(
      'The latest is version 1.',
    );
    await expect(definitions.define({ ...mail, version: 2 })).rejects.toThrow(
      'was deleted, and no number is given twice',
    );
    expect(await definitions.delete('mail')).toBe(1);
    await expect(definitions.delete('mail')).rejects.toThrow(DefinitionNotFoundError);
    expect(await definitions.get('mail')).toBeNull();
    expect((await definitions.list({ deleted: true })).items).toHaveLength(2);
    expect((await definitions.list()).items).toEqual([]);
  });

  test('that are not there are named, with the one that is probably meant', async () => {
    await definitions.define(mail);
    await expect(definitions.start('mial')).rejects.toThrow(
      'There is no definition "mial" in the namespace "default". Did you mean "mail"?',
    );
    await expect(definitions.start('mail', { namespace: 'b' })).rejects.toThrow('Define it first');
  });

  test('are removed once nothing refers to them', async () => {
    await definitions.define(mail);
    await definitions.start('mail', { params: { to: 'a' }, delay: '2h' });
    await definitions.delete('mail');
    await app.clock.advanceBy(60 * minute);
    expect(await definitions.prune({ olderThan: '1m' })).toBe(0);
    await app.clock.advanceBy(61 * minute);
    expect(await definitions.prune({ olderThan: '1d' })).toBe(0);
    expect(await definitions.prune({ olderThan: '1m' })).toBe(1);
    expect((await definitions.list({ deleted: true })).items).toEqual([]);
  });

  test('keep to their namespace', async () => {
    await definitions.define({ ...mail, namespace: 'b' });
    const { job } = await definitions.start('mail', { namespace: 'b', params: { to: 'x' }, delay: '1h' });
    expect(job.namespace).toBe('b');
    expect(await definitions.get('mail')).toBeNull();
    expect(
      (await definitions.list({ namespace: ['b', 'c'], kind: 'handler', latest: true })).items,
    ).toHaveLength(1);
  });

  test('take a reference with its defaults, and the schema of its handler', async () => {
    const job = defineJob<{ to: string }>('send', { queue: 'mails', overlap: 'allow', maxRetries: 4 });
    const { definition } = await definitions.define({ name: 'typed', handler: job, maxRetries: 1 });
    expect(definition.spec).toEqual({ handler: 'send', queue: 'mails', maxRetries: 1 });
  });

  test('are part of a transaction', async () => {
    const failing = app.storage.inTransaction(async (manager) => {
      await definitions.define(mail, { manager });
      await definitions.start('mail', { params: { to: 'a' } }, { manager });
      expect(await definitions.get('mail', { manager })).not.toBeNull();
      expect(await definitions.get('mail', { manager: null })).toBeNull();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await definitions.get('mail')).toBeNull();
    await app.storage.inTransaction(async (manager) => {
      await definitions.define(mail, { manager });
      await definitions.start('mail', { params: { to: 'a' } }, { manager });
    });
    await app.settle();
    expect(ran).toHaveLength(1);
  });

  test.each<[string, object, unknown, string]>([
    ['an unknown option', { handlr: 'send' }, InvalidOptionError, 'Did you mean "handler"?'],
    [
      'a time',
      { at: '2030-01-01T00:00:00Z' },
      InvalidOptionError,
      'Give it when you start it: start(name, { at })',
    ],
    ['two schedules', { cron: '* * * * *', every: '1h' }, InvalidScheduleError, 'given 2 times'],
    ['a schedule that is wrong', { cron: '61 * * * *' }, InvalidScheduleError, '61'],
    ['a delay of what recurs', { every: '1h', delay: '1m' }, InvalidOptionError, 'what recurs has "startAt"'],
    ['keep of what recurs', { every: '1h', keep: '1m' }, InvalidOptionError, 'keep'],
    ['overlap of what runs once', { overlap: 'skip' }, InvalidOptionError, 'overlap'],
    ['a handler that nobody has', { handler: 'sendd' }, HandlerNotFoundError, 'Did you mean "send"?'],
    ['a callback that nobody has', { onFailure: 'sendd' }, HandlerNotFoundError, 'Did you mean "send"?'],
    ['a template that is wrong', { payload: { $param: 'to' } }, InvalidOptionError, 'must be a JSON Pointer'],
    ['a schema that is wrong', { params: { type: 'x' } }, InvalidOptionError, 'is no JSON Schema'],
    [
      'a schema that is none',
      { params: [] },
      InvalidOptionError,
      'params: must be a JSON Schema as an object',
    ],
    ['a name that is too long', { name: 'x'.repeat(201) }, InvalidOptionError, 'name: must be at most 200'],
    ['a version that is none', { version: 0 }, InvalidOptionError, 'version: must be a whole number from 1'],
    [
      'a Date',
      { startAt: new Date(0), every: '1h' },
      InvalidPayloadError,
      'at definition.startAt: a Date is not JSON',
    ],
    ['metadata of its own', { metadata: { chronis_definition: 'a@1' } }, InvalidOptionError, 'Leave it out'],
  ])('refuse %s', async (_, given, kind, problem) => {
    const wrong = definitions.define({ name: 'wrong', handler: 'send', ...given } as HandlerDefinition);
    await expect(wrong).rejects.toThrow(kind as never);
    await expect(wrong).rejects.toThrow(problem);
    expect((await definitions.list()).items).toEqual([]);
  });

  test('may name a handler that is yet to come, where that is said', async () => {
    await definitions.define({ name: 'early', handler: 'later', allowUnknownHandler: true });
    await expect(definitions.start('early')).rejects.toThrow(HandlerNotFoundError);
    expect((await definitions.start('early', { allowUnknownHandler: true })).status).toBe('created');
  });
});

test('a storage that keeps no definitions is named', async () => {
  class Bare extends MemoryStorage {
    override readonly definitions = undefined as never;
  }
  const storage = new Bare();
  const app = await NestApp.boot({ chronis: { storage, autoStart: false } });
  const list = app.app.get(DefinitionService).list();
  await expect(list).rejects.toThrow(DefinitionsNotSupportedError);
  await expect(list).rejects.toThrow('The storage "memory" keeps no definitions');
  await app.close();
});
