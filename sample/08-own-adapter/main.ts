import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { untilStopped } from '../support/until-stopped.js';
import { SharedDocument } from './shared.document.js';
import { SnapshotStorage } from './snapshot.storage.js';

process.env.SAMPLE_SECONDS ??= '10';
const parent = mkdtempSync(join(tmpdir(), 'chronis-sample-'));
const folder = join(parent, 'jobs');

async function startWorker(name: string): Promise<ChildProcess> {
  const child = fork(new URL('./worker.js', import.meta.url), {
    env: { ...process.env, FOLDER: folder, WORKER_NAME: name },
  });
  await once(child, 'message');
  return child;
}

console.log(`Two processes on one document, ${folder}:\n`);
const [ada, bob] = await Promise.all(['ada', 'bob'].map(startWorker));
void delay(Number(process.env.SAMPLE_SECONDS) * 400, null, { ref: false }).then(() => {
  console.log('— ada is killed; bob goes on, also with what ada had begun —');
  ada.kill('SIGKILL');
});
await untilStopped();
ada.kill('SIGKILL');
bob.kill('SIGTERM');
await once(bob, 'exit');

const storage = new SnapshotStorage(new SharedDocument(folder));
const instants = new Map<string, Set<number>>();
const verdicts = new Map<string, number>();
for (let cursor: string | undefined; ;) {
  const page = await storage.queryAttempts({ finalOnly: true }, { limit: 1_000, cursor });
  for (const { jobId, nominalAt } of page.items) {
    verdicts.set(jobId, (verdicts.get(jobId) ?? 0) + 1);
    instants.set(jobId, (instants.get(jobId) ?? new Set()).add(nominalAt.getTime()));
  }
  if (page.cursor === null) break;
  cursor = page.cursor;
}
console.log('\nThe record, read from the document:');
console.table(
  [...instants].map(([job, { size }]) => ({ job, instants: size, duplicates: verdicts.get(job)! - size })),
);
rmSync(parent, { recursive: true });
