import { setTimeout as wait } from 'node:timers/promises';
import type { RunLogEntry, RunLogLevel, SchedulerService } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { FailedError, UsageError } from '../cli.errors.js';
import { choice, flag, whole } from '../cli.option.js';
import { firstLine, moreLines } from '../cli.words.js';
import type { Colour, Output } from '../output.js';
import { given, moreNote, pageOptions } from '../shared.options.js';

const levels = ['verbose', 'debug', 'log', 'warn', 'error', 'fatal'] as const;
const colours: Readonly<Partial<Record<RunLogLevel, Colour>>> = {
  verbose: 'dim',
  debug: 'dim',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
};
const pollMs = 1_000;
const largestPage = 1_000;
const highestAttempt = 1_000_000_000;
const goingOn: readonly string[] = ['waiting', 'blocked', 'running', 'open', 'paused'];

const showLog = command({
  name: 'runs log',
  summary: 'what a run has logged, the oldest line first',
  arguments: { '<run>': 'its id' },
  options: {
    attempt: whole('--attempt <number>', 'only of this attempt', {
      least: 1,
      most: highestAttempt,
      absent: undefined,
    }),
    level: choice('--level <level>', 'this level, and what is worse', levels, { absent: undefined }),
    follow: flag('--follow', 'go on until the run has its verdict'),
    ...pageOptions,
  },
  run: async ({ args: [id], values: { attempt, level, follow, limit, cursor }, out, open, signal }) => {
    if (follow && out.isJson)
      throw new UsageError('--follow has no end, and --json is one document: give one.');
    const runId = id!;
    const { scheduler } = await open();
    const query = { runId, ...given({ attempt, level }) };
    if (follow) return followLog(scheduler, query, cursor, out, signal);
    const page = await scheduler.getRunLog({ ...query, ...given({ limit, cursor }) });
    if (page.items.length === 0) await assertRun(scheduler, runId);
    out.print({ log: page.items, cursor: page.cursor, tail: page.tail }, () =>
      page.items.forEach((entry) => show(entry, out)),
    );
    const more = moreNote(page.cursor);
    if (more !== null) out.note(more);
  },
});

type Query = Parameters<SchedulerService['getRunLog']>[0];

async function followLog(
  scheduler: SchedulerService,
  query: Query,
  begin: string | undefined,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  await assertRun(scheduler, query.runId);
  for (let cursor = begin; !signal.aborted;) {
    // Looked at before the lines: what it has written by its end is there then.
    const [run] = (await scheduler.getRuns({ runId: query.runId })).items;
    const page = await scheduler.getRunLog({ ...query, limit: largestPage, ...given({ cursor }) });
    for (const entry of page.items) show(entry, out);
    cursor = page.tail ?? cursor;
    if (page.cursor !== null) continue;
    if (run === undefined || !goingOn.includes(run.state)) return;
    await wait(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Throws FailedError where there is neither the run nor a record of it. */
async function assertRun(scheduler: SchedulerService, runId: string): Promise<void> {
  const [run] = (await scheduler.getRuns({ runId })).items;
  if (run !== undefined || (await scheduler.getAttempts({ runId, limit: 1 })).items.length > 0) return;
  throw new FailedError(`There is no run "${runId}", nor a record of it.`);
}

function show({ at, level, message, fields, cut, dropped }: RunLogEntry, out: Output): void {
  if (dropped > 0) out.line(out.paint(`… ${dropped} lines are not kept`, 'dim'));
  const more = fields === null ? '' : ` ${out.json(fields)}`;
  const name = out.paint(level.toUpperCase().padEnd(7), colours[level] ?? null);
  out.line(`${at.toISOString()} ${name} ${firstLine(message)}${more}${cut ? ' (cut)' : ''}`);
  for (const line of moreLines(message)) out.line(`  ${line}`);
}

export const runLogCommands: CliCommand[] = [showLog];
