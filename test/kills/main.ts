import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killRun } from './kill.run.js';

// npm run kills -- --count 500 --seed 7 --name jobs.yaml: processes that write to a storage in a file, each killed by -9 in some write, sync or rename. Exit code 1 where anything is lost.
const script = join(import.meta.dirname, 'kill.process.js');
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    name: { type: 'string', multiple: true, default: ['jobs.json', 'jobs.yaml', 'jobs.xml', 'jobs.db'] },
  },
});
for (const name of values.name) {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-kills-'));
  const { calls, violations } = await killRun(
    script,
    join(folder, name),
    Number(values.count),
    Number(values.seed),
  );
  console.log(
    `${name}: ${values.count} kills, seed ${values.seed}, ${calls} calls acknowledged, ${violations.length} violations`,
  );
  for (const violation of violations) console.log(`  ${violation}`);
  if (violations.length > 0) process.exitCode = 1;
  else rmSync(folder, { recursive: true });
}
