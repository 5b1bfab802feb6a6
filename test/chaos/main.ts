// npm run chaos -- --functions 1000 [--workers 4] [--lease 3000] [--within 900]: durable functions, and nothing else
// npm run chaos -- --graphs 100 [--steps 200] [and the same]: random workflows, and nothing else
// npm run chaos -- --seconds 120 --workers 4 --seed 7 --json out.json --evidence out [--faults all|kill,freeze] [--no-changes] [--rate 20] [--lease 3000] [--every 500,2500]
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.run.js';
import { LoneDatabase } from './databases.js';
import { faults } from './faults/catalog.js';
import { playFunctions, type FunctionsReport } from './functions.run.js';
import { playGraphs, type GraphsReport } from './graphs.run.js';
import { missingFaults } from './worlds.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    workers: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    evidence: { type: 'string' },
    faults: { type: 'string', default: 'all' },
    rate: { type: 'string', default: '20' },
    lease: { type: 'string', default: '3000' },
    every: { type: 'string', default: '500,2500' },
    slack: { type: 'string', default: '1000' },
    functions: { type: 'string' },
    graphs: { type: 'string' },
    steps: { type: 'string', default: '200' },
    within: { type: 'string', default: '900' },
    'no-changes': { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const named = values.faults === 'all' ? Object.keys(faults) : values.faults.split(',');
const asked = named.filter((kind) => kind !== '');
const numbers = [values.seconds, values.workers, values.seed, values.rate, values.lease, values.slack].map(
  Number,
);
const [atLeast, atMost] = values.every.split(',').map(Number);
if (
  numbers.some((value) => !Number.isFinite(value) || value < 0) ||
  numbers[1]! < 2 ||
  !(atLeast! <= atMost!)
) {
  console.error(
    '--seconds, --workers, --seed, --rate, --lease and --slack take numbers, --workers at least 2, --every two: least,most.',
  );
  process.exit(2);
}
const unknown = asked.filter((kind) => !(kind in faults));
if (unknown.length > 0) {
  console.error(`--faults: ${unknown.join(', ')} is none of ${Object.keys(faults).join(', ')}.`);
  process.exit(2);
}

const [seconds, workers, seed, rate, leaseMs, slackMs] = numbers as [
  number,
  number,
  number,
  number,
  number,
  number,
];
if (values.functions !== undefined || values.graphs !== undefined) {
  const withinMs = Number(values.within) * 1_000;
  const sizes = [values.functions ?? values.graphs, values.steps].map(Number) as [number, number];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0) || !(withinMs > 0)) {
    console.error('--functions, --graphs and --steps take a whole number from 1, --within seconds.');
    process.exit(2);
  }
  const { violations, figures } = await playAlone(sizes, withinMs);
  console.table(figures);
  for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`);
  console.log(`seed ${seed}: ${violations.length} violations`);
  process.exit(violations.length === 0 ? 0 : 1);
}
const missing = missingFaults(asked);
for (const [kind, why] of missing) console.log(`Left out: ${kind}, since ${why}.`);
const begun = Date.now();
const worlds = await runChaos({
  seconds,
  workers,
  seed,
  rate,
  leaseMs,
  slackMs,
  changes: !values['no-changes'],
  faults: asked.filter((kind) => !missing.has(kind)),
  everyMs: [atLeast!, atMost!],
  ...(values.evidence === undefined
    ? {}
    : {
        keep: (world: string, evidence: object) =>
          writeFileSync(`${values.evidence}.${world}.json`, `${JSON.stringify(evidence)}\n`),
      }),
  tell: (line) => {
    if (!values.quiet) console.log(`${((Date.now() - begun) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  },
});
const violations = Object.values(worlds).reduce((sum, report) => sum + report.violations, 0);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ seed, violations, leftOut: Object.fromEntries(missing), worlds }, null, 2)}\n`,
  );
for (const [world, { found, violations: _, ...tables }] of Object.entries(worlds)) {
  for (const [title, table] of Object.entries(tables)) {
    console.log(`\n${world}: ${title}`);
    console.table(table);
  }
  for (const [name, list] of Object.entries(found)) {
    console.log(`\n${world}: ${name}: ${list.length}`);
    for (const violation of list.slice(0, 10)) console.log(`  ${violation}`);
  }
}
console.log(`\nseed ${seed}: ${violations} violations`);
process.exit(violations === 0 ? 0 : 1);

/** A world of its own, on a database of its own. */
async function playAlone(
  [count, steps]: [number, number],
  withinMs: number,
): Promise<FunctionsReport | GraphsReport> {
  const kind = values.graphs === undefined ? 'functions' : 'graphs';
  const database = await LoneDatabase.begin();
  const shared = {
    ...{ url: database.url, schema: 'chronis', workers, seed, leaseMs, withinMs, everyMs: 1_000 },
    workerFile: fileURLToPath(new URL(`./${kind}.worker.js`, import.meta.url)),
    tell: (line: string) => {
      if (!values.quiet) console.log(line);
    },
  };
  try {
    return kind === 'functions'
      ? await playFunctions({ ...shared, functions: count, stepMs: 500 })
      : await playGraphs({ ...shared, graphs: count, steps, stepMs: 300 });
  } finally {
    await database.stop();
  }
}
