import { expect, test } from 'vitest';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { WorkflowService, workflow } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { MemoryJournal } from '../support/memory.journal.js';

/** How much is written. */
class MeasuredJournal extends MemoryJournal {
  characters = 0;
  longestStep = 0;

  override async write(batch: Parameters<MemoryJournal['write']>[0]): Promise<void> {
    for (const { table, row } of batch.changes) {
      const { length } = JSON.stringify(row);
      this.characters += length;
      if (table === 'flowSteps') this.longestStep = Math.max(this.longestStep, length);
    }
    await super.write(batch);
  }
}

async function measure(items: number): Promise<MeasuredJournal> {
  const journal = new MeasuredJournal();
  const wide = workflow('wide')
    .step('list', () => Array.from({ length: items }, (_, item) => item))
    .map('each', (ctx) => ctx.item, { after: 'list' })
    .map('again', (ctx) => ctx.item, { after: 'each' });
  const t = await ChronisTesting.create({
    storage: (clock) => JournaledStorage.on('memory', 'a file', journal, { clock }),
  });
  const workflows = t.app.get(WorkflowService);
  workflows.register(wide);
  const { runId } = await workflows.start(wide, { key: 'k' });
  await t.advanceBy('1m');
  expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
  await t.close();
  return journal;
}

test('maps write what has changed of them: each instance its own row, and nothing grows with their number but that', async () => {
  const [few, many] = [await measure(20), await measure(200)];
  expect(many.longestStep).toBeLessThan(few.longestStep + 2_000);
  expect(many.characters / few.characters).toBeLessThan(11);
});
