import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledTests } from '../support/compiled.js';
import type { Report } from './chaos.checker.js';

export const seed = 7;

export interface Played {
  status: number | null;
  /** What it printed. */
  said: string;
  worlds: Record<string, Report>;
}

/** A short form of `npm run chaos`. The slack is for a machine that runs other tests at the same time. */
export async function play(kinds: readonly string[], given: readonly string[]): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-chaos-'));
  try {
    const json = join(folder, 'report.json');
    const main = join(compiledTests(), 'test/chaos/main.js');
    const common = [
      '--workers',
      '4',
      '--seed',
      `${seed}`,
      '--lease',
      '2000',
      '--slack',
      '4000',
      '--json',
      json,
    ];
    const run = spawn(process.execPath, [main, ...common, ...given, '--faults', kinds.join(',')]);
    let said = '';
    for (const stream of [run.stdout, run.stderr])
      stream.setEncoding('utf8').on('data', (text) => (said += text));
    const [status] = (await once(run, 'close')) as [number | null];
    const { worlds } = JSON.parse(readFileSync(json, 'utf8')) as { worlds: Record<string, Report> };
    return { status, said, worlds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
