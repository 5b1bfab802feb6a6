import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  DefinitionService,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidWorkflowError,
  TaskExecutor,
  taskOf,
  UnknownTaskError,
  workflow,
  WorkflowService,
  workflowSchema,
  type DefinitionInput,
} from '../../lib/index.js';
import Ajv from 'ajv/dist/2020.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';

const ran: unknown[] = [];

@TaskExecutor('mail')
class MailExecutor implements TaskExecutor<{ to: string }> {
  readonly schema = z.strictObject({ to: z.string(), count: z.number().optional() });
  execute(task: { to: string }): { sent: string } {
    ran.push(task);
    return { sent: task.to };
  }
}

let app: NestApp;
let definitions: DefinitionService;
let workflows: WorkflowService;

beforeEach(async () => {
  ran.length = 0;
  app = await NestApp.boot({ providers: [MailExecutor] });
  definitions = app.app.get(DefinitionService);
  workflows = app.app.get(WorkflowService);
});
afterEach(() => app.close());

const mail = {
  name: 'mail',
  task: { type: 'mail', to: { $param: '/to' }, count: { $param: '/count', default: 1 } },
  params: { type: 'object', required: ['to'] },
  maxRetries: 2,
} satisfies DefinitionInput;

describe('a definition of a task', () => {
  test('is started with params, which fill the task', async () => {
    const { definition } = await definitions.define(mail);
    expect(definition).toMatchObject({ kind: 'task', spec: { task: mail.task, maxRetries: 2 } });
    const { job } = await definitions.start('mail', { params: { to: 'ada' } });
    expect(taskOf(job)).toEqual({ type: 'mail', to: 'ada', count: 1 });
    expect(job.policies.maxRetries).toBe(2);
    await app.settle();
    expect(ran).toEqual([{ to: 'ada', count: 1 }]);
    expect((await definitions.list({ kind: 'task' })).items).toMatchObject([{ name: 'mail' }]);
    expect((await definitions.list({ kind: 'handler' })).items).toEqual([]);
    expect((await definitions.define(mail)).status).toBe('existing');
  });

  test('recurs, where it says so', async () => {
    await definitions.define({ name: 'mail', task: { type: 'mail', to: 'ada' }, every: '1m' });
    await definitions.start('mail');
    await app.clock.advanceBy(120_000);
    expect(ran).toEqual([{ to: 'ada' }, { to: 'ada' }]);
  });

  test('takes params that fit its schema, and make a task that fits that of its type', async () => {
    await definitions.define(mail);
    const start = (params: object) => definitions.start('mail', { params: wrong(params) });
    await expect(start({})).rejects.toThrow(InvalidPayloadError);
    await expect(start({ to: 7 })).rejects.toThrow(
      'task: does not fit the schema of the type "mail": at task.to: ',
    );
    expect(await app.scheduler.countJobs()).toBe(0);
  });

  test.each<[string, object, new (...args: never[]) => Error, string]>([
    ['of an unknown type', { task: { type: 'fax' } }, UnknownTaskError, 'of the type "fax"'],
    [
      'with a template for a type',
      { task: { type: { $param: '/type' } } },
      InvalidOptionError,
      'task.type: must be a non-empty text',
    ],
    [
      'with a template that is none',
      { task: { type: 'mail', to: { $param: 'to' } } },
      InvalidOptionError,
      'task.to: $param must be a JSON Pointer',
    ],
    [
      'beside a handler',
      { task: { type: 'mail' }, handler: 'work' },
      InvalidOptionError,
      'task: is given beside "handler". A definition is of a handler, of a task, or of a workflow with steps.',
    ],
    [
      'beside a payload',
      { task: { type: 'mail', to: 'ada' }, payload: 1 },
      InvalidOptionError,
      'task: is given beside "payload".',
    ],
    [
      'and of none',
      {},
      InvalidOptionError,
      'handler: is missing. Give the name of a handler, a "task", or the "steps" of a workflow.',
    ],
  ])('is refused %s', async (_, given, type, message) => {
    const error = await definitions.define(wrong({ name: 'x', ...given })).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain(message);
  });
});

describe('a step that is a task', () => {
  test('runs in a workflow as data, with params in it', async () => {
    await definitions.define({
      name: 'notify',
      steps: [
        { name: 'first', task: { type: 'mail', to: { $param: '/to' } }, maxRetries: 1 },
        { name: 'second', after: 'first', task: { type: 'mail', to: 'bob' } },
      ],
    });
    const { runId } = await definitions.start('notify', { params: { to: 'ada' } });
    await app.settle();
    expect(ran).toEqual([{ to: 'ada' }, { to: 'bob' }]);
    const graph = await workflows.graph(runId!);
    expect(graph!.steps.map(({ name, state, handler }) => [name, state, handler])).toEqual([
      ['first', 'succeeded', 'task:mail'],
      ['second', 'succeeded', 'task:mail'],
    ]);
  });

  test('runs in a workflow in code, which reads its result', async () => {
    const read: unknown[] = [];
    const defined = workflow('notify')
      .step('send', { task: { type: 'mail', to: 'ada' } })
      .step('tell', async (context) => void read.push(await context.result('send')), { after: 'send' });
    workflows.register(defined);
    await workflows.start(defined, {});
    await app.settle();
    expect(read).toEqual([{ sent: 'ada' }]);
  });

  test.each<[string, object, string]>([
    ['a handler', { handler: 'work' }, 'task: is given beside "handler".'],
    ['a payload', { payload: 1 }, 'task: is given beside "payload".'],
    ['a workflow', { workflow: 'other' }, 'workflow: is given beside "task": a step is a handler, a task'],
    ['manual', { manual: true }, 'manual: is given beside "task": a step is a handler, a task'],
    [
      'map',
      { map: true },
      'map: is given beside "task": each instance of a map gets its item as its payload',
    ],
  ])('is refused beside %s, also by the JSON Schema', async (_, given, message) => {
    const step = { name: 'b', after: 'a', task: { type: 'mail', to: 'ada' }, ...given };
    const steps = [{ name: 'a', task: { type: 'mail', to: 'ada' } }, step];
    const error = await definitions.define(wrong({ name: 'x', steps })).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(InvalidWorkflowError);
    expect((error as Error).message).toContain(message);
    const isValid = new Ajv.default({ strict: false }).compile(workflowSchema);
    expect([isValid({ name: 'x', steps }), isValid({ name: 'x', steps: steps.slice(0, 1) })]).toEqual([
      false,
      true,
    ]);
  });

  test('of an unknown type is refused with the known ones', async () => {
    const steps = [{ name: 'a', task: { type: 'mial' } }];
    await expect(definitions.define({ name: 'x', steps })).rejects.toThrow('Did you mean "mail"?');
  });
});

test('definitions and flows whose tasks nobody carries out any more are told by the types', async () => {
  await definitions.define(mail);
  await definitions.define({
    name: 'notify',
    steps: [{ name: 'a', delay: '1d', task: { type: 'mail', to: 'b' } }],
  });
  await definitions.start('notify');
  await app.settle();
  const { clock, storage } = app;
  await app.close();
  app = await NestApp.boot({ clock, storage });
  await app.clock.advanceBy(60_000);
  const told = app.heard('workflows.unserved');
  expect(
    told.flatMap(({ definitions: each }) => each.map(({ name, handlers }) => [name, ...handlers])),
  ).toEqual([
    ['mail', 'task:mail'],
    ['notify', 'task:mail'],
  ]);
  expect(told.flatMap(({ steps }) => steps.map(({ handler }) => handler))).toEqual(['task:mail']);
});
