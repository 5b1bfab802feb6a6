import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';
import { clockVectors } from './vectors/clock.vectors.js';
import { dialectVectors } from './vectors/dialect.vectors.js';
import { policyVectors } from './vectors/policy.vectors.js';
import { rowsOf } from './vectors/vector.rows.js';

const root = resolve(import.meta.dirname, '../..');
const out = join(root, 'out/triggers');

/** Runs in the child: a clock that stands at CLOCK, then all answers as one line of JSON. */
const script = `
  const real = Date;
  const now = real.parse(process.env.CLOCK);
  globalThis.Date = class extends real {
    constructor(...given) { super(...(given.length === 0 ? [now] : given)); }
    static now() { return now; }
  };
  const { nextOccurrences } = await import('./triggers/occurrences.js');
  const { preview } = await import('./triggers/preview.js');
  const { parseAt } = await import('./triggers/instant.js');
  const rows = JSON.parse(process.env.ROWS);
  const answers = rows.map(({ expression, zone, from, count }) => {
    const trigger = { type: 'cron', expression };
    const options = { from, count, timeZone: zone };
    return [nextOccurrences(trigger, options), preview(trigger, options).occurrences, parseAt(from.slice(0, 19), zone)];
  });
  const local = new real('2026-07-01T00:00:00Z').getHours();
  console.log(JSON.stringify({ local, month: new Date().getUTCMonth(), answers }));
`;

const policyRows = rowsOf(policyVectors).map((row) => ({
  ...row,
  expression: row.expression.replace(/^\S+ +/, ''),
}));
const rows = [...rowsOf(dialectVectors), ...rowsOf(clockVectors), ...policyRows]
  .map(({ expression, zone, from, expected }) => ({
    expression,
    zone,
    from,
    count: Math.max(expected.length, 1),
  }))
  .filter(({ expression }) => !expression.startsWith('@every'));

/** Only these folders are compiled, file by file, which takes a fraction of a full build. */
function compile(folder: string): void {
  mkdirSync(join(out, folder), { recursive: true });
  for (const file of readdirSync(join(root, 'lib', folder))) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'lib', folder, file), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    writeFileSync(join(out, folder, file.replace(/\.ts$/, '.js')), outputText);
  }
}

async function answersUnder(
  zone: string,
  clock: string,
): Promise<{ local: number; month: number; answers: unknown }> {
  const child = spawn(process.execPath, ['answers.js'], {
    cwd: out,
    env: { ...process.env, TZ: zone, CLOCK: clock, ROWS: JSON.stringify(rows) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(output) as { local: number; month: number; answers: unknown };
}

beforeAll(() => {
  compile('model');
  compile('triggers');
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(out, 'answers.js'), script);
});

test(
  'answers depend neither on the zone of the process nor on the date of the question',
  { timeout: 60_000 },
  async () => {
    const reference = await answersUnder('UTC', '2026-01-15T12:00:00Z');
    expect(rows.length).toBeGreaterThan(250);
    expect(reference).toMatchObject({ local: 0, month: 0 });
    for (const [zone, local] of [
      ['Australia/Lord_Howe', 10],
      ['Pacific/Chatham', 12],
      ['UTC', 0],
    ] as const) {
      const found = await Promise.all([
        answersUnder(zone, '2026-01-15T12:00:00Z'),
        answersUnder(zone, '2026-07-15T12:00:00Z'),
      ]);
      // The children really lived where and when they were told to.
      expect(found.map((one) => [one.local, one.month])).toEqual([
        [local, 0],
        [local, 6],
      ]);
      for (const one of found) expect(one.answers).toEqual(reference.answers);
    }
  },
);
