// npm run simulate -- --seeds 200 [--from 1]   plays that many histories
// npm run simulate -- --seed 7                 replays one
// npm run simulate -- --kind poison            all of one kind: stormy, backwards, clock, poison, deploys, open, steps
import { parseArgs } from 'node:util';
import { findViolations } from './history.checker.js';
import { kinds, playScenario, type Kind } from './scenario.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    kind: { type: 'string' },
  },
});
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  console.error('--seeds, --from and --seed take whole numbers.');
  process.exit(2);
}

if (values.kind !== undefined && !(kinds as readonly string[]).includes(values.kind)) {
  console.error(`--kind is one of ${kinds.join(', ')}.`);
  process.exit(2);
}

const total: Record<string, number> = { executions: 0 };
let broken = 0;
for (let seed = first; seed < first + count; seed++) {
  const outcome = await playScenario(seed, undefined, values.kind as Kind | undefined);
  const violations = await findViolations(outcome);
  for (const [fault, times] of Object.entries(outcome.faults)) total[fault] = (total[fault] ?? 0) + times;
  total.executions! += outcome.executions.length;
  if (violations.length === 0) continue;
  broken++;
  console.log(`seed ${seed} (${outcome.kind}): ${violations.length} violations`);
  for (const violation of violations.slice(0, 10)) console.log(`  ${violation}`);
}
console.log(`seeds ${first} to ${first + count - 1}: ${broken} broken`, total);
process.exit(broken === 0 ? 0 : 1);
