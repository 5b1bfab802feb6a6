import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DefinitionNotFoundError,
  DefinitionService,
  InvalidOptionError,
  WorkflowService,
  type DefinitionInput,
  type TenantDefinitions,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const mail = { name: 'mail', handler: 'send', payload: { to: { $param: '/to' } } };

/** A call by another tenant that aims at what acme has: what it comes to. */
const attacks: Record<
  keyof TenantDefinitions,
  (other: TenantDefinitions) => [call: unknown, comesTo: object | null]
> = {
  define: (other) => [other.define(mail), { status: 'created', definition: { version: 1 } }],
  defineMany: (other) => [other.defineMany([mail]), [{ status: 'created', definition: { version: 1 } }]],
  get: (other) => [other.get('mail', { version: 1 }), null],
  list: (other) => [other.list({ name: 'mail', deleted: true }), { items: [], cursor: null }],
  delete: (other) => [refusal(other.delete('mail')), { name: 'DefinitionNotFoundError' }],
  start: (other) => [
    refusal(other.start('mail', { params: { to: 'a' } })),
    { name: 'DefinitionNotFoundError' },
  ],
};

const refusal = async (call: Promise<unknown>): Promise<object> =>
  call.then(
    () => ({ name: 'accepted' }),
    (error: Error) => ({ name: error.constructor.name }),
  );

describe('definitions of a tenant', () => {
  let app: NestApp;
  let all: DefinitionService;
  let acme: TenantDefinitions;
  const sent: unknown[] = [];

  beforeEach(async () => {
    sent.length = 0;
    app = await NestApp.boot({ chronis: { autoStart: false } });
    app.scheduler.registerHandler('send', ({ payload }) => void sent.push(payload));
    await app.scheduler.start();
    all = app.app.get(DefinitionService);
    acme = all.forTenant('acme');
  });
  afterEach(() => app.close());

  test('are in its namespace, and so is what is started from them, with its mark', async () => {
    const { definition } = await acme.define(mail, { by: 'ada' });
    expect(definition).toMatchObject({ namespace: 'tenant:acme', version: 1, createdBy: 'ada' });
    const { job, version } = await acme.start('mail', {
      params: { to: 'x' },
      key: 'k',
      metadata: { own: 1 },
    });
    expect(version).toBe(1);
    expect(job).toMatchObject({
      namespace: 'tenant:acme',
      metadata: { own: 1, tenant_id: 'acme', chronis_definition: 'mail@1' },
    });
    await app.settle();
    expect(sent).toEqual([{ to: 'x' }]);
  });

  test('run workflows that are data, in its namespace', async () => {
    await acme.define({ name: 'graph', steps: [{ name: 'one', handler: 'send' }] });
    const { runId } = await acme.start('graph', { params: 7 });
    await app.settle();
    const workflows = app.app.get(WorkflowService);
    expect(await workflows.forTenant('acme').get(runId!)).toMatchObject({ version: 1, state: 'succeeded' });
    expect(await workflows.forTenant('other').get(runId!)).toBeNull();
    expect(sent).toEqual([7]);
  });

  test.each(Object.entries(attacks))('are not seen and not touched by another: %s', async (_, attack) => {
    await acme.define(mail);
    await all.define({ ...mail, payload: null });
    const [call, comesTo] = attack(all.forTenant('other'));
    const answer = await call;
    if (comesTo === null) expect(answer).toBeNull();
    else expect(answer).toMatchObject(comesTo);
    const namespaces = (await all.list({ name: 'mail' })).items.map(({ namespace }) => namespace);
    expect(namespaces.filter((namespace) => namespace !== 'tenant:other')).toEqual([
      'default',
      'tenant:acme',
    ]);
    expect((await acme.list()).items).toMatchObject([{ version: 1, spec: { payload: mail.payload } }]);
  });

  test('are refused in another namespace and with the mark of another, one by one in a list', async () => {
    const namespace = 'tenant:other';
    const metadata = { tenant_id: 'other' };
    await expect(acme.define({ ...mail, namespace })).rejects.toThrow(InvalidOptionError);
    await expect(acme.define({ ...mail, metadata })).rejects.toThrow('metadata.tenant_id');
    await expect(acme.get('mail', { namespace })).rejects.toThrow(InvalidOptionError);
    await expect(acme.list({ namespace: [namespace] as never })).rejects.toThrow(InvalidOptionError);
    await expect(acme.start('mail', { namespace })).rejects.toThrow(InvalidOptionError);
    await expect(acme.start('mail', { metadata })).rejects.toThrow('metadata.tenant_id');
    await expect(acme.delete('mail')).rejects.toThrow(DefinitionNotFoundError);
    const results = await acme.defineMany([
      { ...mail, namespace },
      null as never,
      mail,
      1 as never as DefinitionInput,
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'created', 'rejected']);
    await expect(acme.defineMany('no' as never)).rejects.toThrow('defineMany() takes a list');
  });
});
