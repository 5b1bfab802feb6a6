// node bench/files.mjs [--jobs 1000,5000,20000]: what storages in files cost by how many jobs there are. Needs `npm run build`.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileStorage } from '../dist/file/index.js';
import { sqliteStorage } from '../dist/sqlite/index.js';

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '1000,5000,20000' } } });
const counts = values.jobs.split(',').map(Number);
const names = ['jobs.yaml', 'jobs.json', 'jobs.xml', 'jobs.db'];
const perCall = 500;
const msOfDay = 86_400_000;

function recipe(path) {
  return path.endsWith('.db') ? sqliteStorage({ path }) : fileStorage({ path });
}

/** A job as an application has many of: with a payload of some fields. */
function job(nth) {
  return {
    id: `report-${nth}`,
    ...{ namespace: 'default', name: null, handler: 'report', queue: 'default', priority: 5 },
    trigger: { type: 'cron', expression: '0 9 * * *' },
    timeZone: 'UTC',
    payload: { customer: nth, format: 'pdf', to: ['ada@example.com', 'grace@example.com'] },
    ...{ metadata: { tenant: `t${nth % 100}` }, policies: { maxRetries: 3 } },
    ...{ source: 'api', app: 'shop', definitionHash: '', nextAt: Date.now() + msOfDay },
  };
}

async function timed(work) {
  const begin = performance.now();
  const value = await work();
  return { value, ms: Math.round(performance.now() - begin) };
}

async function measure(name, count) {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-files-'));
  const path = join(folder, name);
  const storage = recipe(path).create();
  await storage.init();
  const jobs = Array.from({ length: count }, (_, nth) => job(nth));
  const create = await timed(async () => {
    for (let from = 0; from < count; from += perCall)
      await storage.insertJobs(jobs.slice(from, from + perCall), 'raise');
  });
  const one = await timed(() => storage.insertJobs([job(count)], 'raise'));
  const close = await timed(() => storage.close());
  const again = recipe(path).create();
  const start = await timed(() => again.init());
  await again.close();
  const megabytes = statSync(path).size / 1_048_576;
  rmSync(folder, { recursive: true });
  return { file: name, jobs: count, MB: megabytes.toFixed(1), 'create ms': create.ms, 'one more ms': one.ms, 'close ms': close.ms, 'start ms': start.ms };
}

const rows = [];
for (const name of names) for (const count of counts) rows.push(await measure(name, count));
console.table(rows);
