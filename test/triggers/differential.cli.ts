import { parseArgs } from 'node:util';
import { compareEngines } from './differential.js';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' } },
});
const runs = Number(values.runs);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('Usage: npm run differential -- [--runs 20000] [--seed 1]');
  process.exit(2);
}

const { compared, disagreements } = compareEngines(runs, seed);
for (const { engine, expression, zone, from, ours, theirs } of disagreements) {
  console.log(`${engine} disagrees about "${expression}" in ${zone} after ${from}`);
  console.log(`  ours   ${ours}\n  theirs ${theirs}`);
}
console.log(`seed ${seed}: ${runs} questions, ${disagreements.length} disagreements`);
console.log(`answers compared with croner: ${compared.croner}, with cron-parser: ${compared['cron-parser']}`);
process.exit(disagreements.length > 0 ? 1 : 0);
