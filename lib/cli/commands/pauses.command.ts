import type { PauseScope, ScopePause } from '../../index.js';
import { change } from '../change.command.js';
import { command, type CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { flag, text } from '../cli.option.js';
import { instant, scopeText } from '../cli.words.js';
import { exitCodes } from '../exit.codes.js';
import { untilOption, pausedBy, reasonOption } from '../shared.options.js';
import type { Column } from '../text.table.js';

const scopeOptions = {
  handler: text('--handler <name>', 'all jobs of this handler'),
  queue: text('--queue <name>', 'all jobs in this queue'),
  namespace: text('--namespace <name>', 'all jobs in this namespace'),
  all: flag('--all', 'everything'),
};

interface GivenScope {
  handler: string | undefined;
  queue: string | undefined;
  namespace: string | undefined;
  all: boolean;
}

/** Throws UsageError unless there is exactly one. */
function scopeOf({ handler, queue, namespace, all }: GivenScope): PauseScope {
  const scopes: PauseScope[] = [
    ...(handler === undefined ? [] : [{ handler }]),
    ...(queue === undefined ? [] : [{ queue }]),
    ...(namespace === undefined ? [] : [{ namespace }]),
    ...(all ? [{ all: true } as const] : []),
  ];
  const [scope, ...others] = scopes;
  if (scope !== undefined && others.length === 0) return scope;
  throw new UsageError('Give exactly one of --handler, --queue, --namespace and --all.');
}

const listPauses = command({
  name: 'pauses list',
  summary: 'handlers, queues and namespaces that are paused, the oldest pause first',
  isDefault: true,
  options: {},
  run: async ({ out, open }) => {
    const { scheduler } = await open();
    const pauses = await scheduler.getPauses();
    const columns: Column<ScopePause>[] = [
      { title: 'PAUSED', of: ({ scope }) => scopeText(scope) },
      { title: 'SINCE', of: ({ at }) => instant(at) },
      { title: 'UNTIL', of: ({ until }) => instant(until) },
      { title: 'BY', of: ({ by }) => by ?? '' },
      { title: 'REASON', of: ({ reason }) => reason ?? '' },
    ];
    out.print({ pauses }, (paper) => paper.table(columns, pauses, 'Nothing is paused as a whole.'));
  },
});

const addPause = change({
  name: 'pauses add',
  summary: 'stops a handler, a queue, a namespace or everything, in all processes',
  options: { ...scopeOptions, ...reasonOption, ...untilOption },
  examples: ["chronis pauses add --queue slow --until 2h --reason 'disk is full'"],
  run: async ({ values: { reason, until, ...scope }, actor, out, open }) => {
    const meant = scopeOf(scope);
    const { scheduler } = await open();
    const pause = await scheduler.pause(meant, pausedBy(actor, reason, until));
    out.print({ pause }, (paper) =>
      paper.line(
        `${scopeText(pause.scope)}\tpaused since ${instant(pause.at)}${pause.until === null ? '' : `, until ${instant(pause.until)}`}`,
      ),
    );
  },
});

const removePause = change({
  name: 'pauses remove',
  summary: 'ends such a pause',
  options: scopeOptions,
  run: async ({ values, out, open }) => {
    const scope = scopeOf(values);
    const { scheduler } = await open();
    const resumed = await scheduler.resume(scope);
    out.print({ resumed }, (paper) =>
      paper.line(`${scopeText(scope)}\t${resumed ? 'goes on' : 'was not paused'}`),
    );
    return resumed ? exitCodes.fine : exitCodes.failed;
  },
});

export const pauseCommands: CliCommand[] = [listPauses, addPause, removePause];
