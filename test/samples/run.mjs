// npm run test:samples: every compiled sample runs to its end, the ones that would go on for some seconds.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const lanes = 2;
const limitMs = 60_000;
const env = { ...process.env, SAMPLE_SECONDS: '6' };
const samples = readdirSync(join(root, 'sample')).filter((entry) => /^\d\d-/.test(entry));
const waiting = [...samples];
let failed = 0;

async function lane() {
  for (let name = waiting.shift(); name; name = waiting.shift()) {
    try {
      const begin = Date.now();
      const args = [join(root, 'sample/run.mjs'), name];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: limitMs });
      if (stdout.trim() === '') throw new Error('It printed nothing.');
      console.log(`${name}: ended in order after ${((Date.now() - begin) / 1_000).toFixed(1)} s`);
    } catch ({ message, stdout = '' }) {
      failed++;
      console.error(`${name}: ${message}\n${stdout}`);
    }
  }
}

await Promise.all(Array.from({ length: lanes }, lane));
console.log(`${samples.length - failed} of ${samples.length} samples ran to their end`);
process.exit(failed === 0 && samples.length > 0 ? 0 : 1);
