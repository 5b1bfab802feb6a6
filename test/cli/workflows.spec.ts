import { afterAll, beforeAll, expect, test } from 'vitest';
import { WorkflowService, workflow } from '../../lib/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { RealApp } from '../support/real.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { chronis } from './cli.call.js';

const schema = freshSchema('cli_flows');
const at = ['--storage', databaseUrl(), '--schema', schema];
let app: RealApp;

beforeAll(async () => {
  app = await RealApp.boot('postgres', { storage: newStorage({ schema }), app: 'shop', name: 'worker-1' });
});
afterAll(() => app.app.close());

test('a workflow that is ending is shown as that, with why a step of it still runs', async () => {
  const workflows = app.app.get(WorkflowService);
  let end = (): void => undefined;
  const begun = new Promise<void>((tell) => {
    const handler = (): Promise<void> => {
      tell();
      return new Promise((resolve) => (end = resolve));
    };
    workflows.register(
      workflow('import')
        .step('load', handler)
        .step('after', () => 1, { after: 'load' }),
    );
  });
  const { runId } = await workflows.start('import');
  await begun;
  const show = async (): Promise<string> => (await chronis(['workflows', 'show', runId, ...at])).stdout;
  expect(await show()).not.toContain('ending');
  await workflows.cancel(runId);
  const ending = await show();
  expect(ending).toContain('\nstate\tactive\nending\tcancelled\n');
  expect(ending).toMatch(/^load\treleased\t\d+\t\tIt still runs\. The workflow is cancelled once/m);
  end();
  await app.scheduler.waitForRun(runId);
  const over = await show();
  expect(over).toContain('\nstate\tcancelled\n');
  expect(over).not.toContain('ending');
});
