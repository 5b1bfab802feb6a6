import { afterEach, expect, test } from 'vitest';
import { DefinitionService, MemoryStorage, Step, Workflow, WorkflowService } from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

@Workflow('nightly')
class Nightly {
  @Step()
  extract(): void {}

  @Step({ after: 'extract', delay: '10m' })
  load(): void {}
}

@Workflow('nightly')
class Next {
  @Step()
  extract(): void {}
}

const clock = new ManualClock();
let storage = new MemoryStorage({ clock });
let apps: NestApp[] = [];

afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
  storage = new MemoryStorage({ clock });
});

async function boot(providers: (new () => object)[], chronis = {}): Promise<NestApp> {
  const app = await NestApp.boot({ storage, clock, providers, chronis });
  apps.push(app);
  return app;
}

async function release(): Promise<void> {
  const app = await boot([Nightly]);
  app.scheduler.registerHandler('send', () => undefined);
  app.scheduler.registerHandler('tell', () => undefined);
  const definitions = app.app.get(DefinitionService);
  await definitions.define({ name: 'mail', handler: 'tell' });
  await definitions.define({ name: 'mail', handler: 'send', onFailure: 'tell' });
  await definitions.forTenant('acme').define({
    name: 'graph',
    steps: [
      { name: 'one', handler: 'send' },
      { name: 'two', manual: true, after: 'one' },
    ],
  });
  await definitions.define({ name: 'gone', handler: 'send' });
  await definitions.delete('gone');
  for (let nth = 0; nth < 4; nth++) await app.app.get(WorkflowService).start('nightly');
  await app.settle();
  await app.close();
  apps = [];
}

const steps = [{ workflow: 'nightly', version: 1, handler: 'nightly.load', flows: 4 }];
const definitions = [
  { namespace: 'default', name: 'mail', version: 2, kind: 'handler', handlers: ['send', 'tell'] },
  { namespace: 'tenant:acme', name: 'graph', version: 1, kind: 'workflow', handlers: ['send'] },
];

test('a release is told before its deploy what workflows and definitions need that it lacks', async () => {
  await release();
  const app = await boot([Next], { autoStart: false });
  expect(await app.app.get(WorkflowService).plan()).toEqual({
    steps,
    definitions,
    lacks: [
      '4 flows of version 1 of "nightly" wait for "nightly.load", which this release lacks.',
      'version 2 of the definition "mail" calls "send" and "tell", which this release lacks.',
      'version 1 of the definition "graph" in the namespace "tenant:acme" calls "send", which this release lacks.',
    ],
  });
  expect((await app.app.get(DefinitionService).list({ name: 'nightly' })).items).toHaveLength(1);
});

test('one that has all of them is told nothing, nor is one of another app', async () => {
  await release();
  const nothing = { steps: [], definitions: [], lacks: [] };
  const app = await boot([Nightly], { autoStart: false });
  app.scheduler.registerHandler('send', () => undefined);
  app.scheduler.registerHandler('tell', () => undefined);
  expect(await app.app.get(WorkflowService).plan()).toEqual(nothing);
  const other = await boot([], { autoStart: false, app: 'other' });
  expect(await other.app.get(WorkflowService).plan()).toEqual(nothing);
});

test('after the deploy each start tells the same', async () => {
  await release();
  const app = await boot([Next]);
  await app.clock.advanceBy(1_000);
  const [told] = app.heard('workflows.unserved');
  expect(told).toEqual({ app: 'default', steps, definitions });
  expect(logSentences['workflows.unserved']!(told!).text).toContain(
    'wait for "nightly.load"; version 2 of the definition "mail" calls "send" and "tell"',
  );
});
