import type { GraphStep, WorkflowQuery, WorkflowRun } from '../../index.js';
import { change } from '../change.command.js';
import { command, type CliCommand } from '../cli.command.js';
import { FailedError } from '../cli.errors.js';
import { choice, json, list, text, whole } from '../cli.option.js';
import { colourOf, instant } from '../cli.words.js';
import { given, moreNote, namespaceOption, pageOptions } from '../shared.options.js';
import type { Column } from '../text.table.js';

const states = ['active', 'succeeded', 'failed', 'cancelled'] as const;
const highestVersion = 1_000_000_000;
const oneRun = { '<run>': 'the id of the run that the workflow is' };

const listWorkflows = command({
  name: 'workflows list',
  summary: 'workflows that have begun, the newest first',
  isDefault: true,
  options: {
    namespace: text('--namespace <name>', 'of this namespace', { default: 'all' }),
    workflow: text('--workflow <name>', 'of this name'),
    state: choice('--state <state>', 'in this state', states, { absent: undefined }),
    ...pageOptions,
  },
  run: async ({ values, out, open }) => {
    const { workflows } = await open();
    const page = await workflows.list(given(values) as WorkflowQuery);
    const columns: Column<WorkflowRun>[] = [
      { title: 'RUN', of: ({ runId }) => runId },
      {
        title: 'WORKFLOW',
        of: ({ workflow, version }) => (version === null ? workflow : `${workflow} v${version}`),
      },
      {
        title: 'STATE',
        of: ({ state }) => state,
        paint: (cell, { state }) => out.paint(cell, colourOf(state)),
      },
      { title: 'BEGAN', of: ({ openedAt }) => instant(openedAt) },
      { title: 'ENDED', of: ({ endedAt }) => instant(endedAt) },
      {
        title: 'STEPS',
        of: ({ counts }) =>
          Object.entries(counts)
            .map(([state, count]) => `${count} ${state}`)
            .join(', '),
      },
    ];
    out.print({ workflows: page.items, cursor: page.cursor }, (paper) =>
      paper.table(columns, page.items, 'There are no such workflows.'),
    );
    const more = moreNote(page.cursor);
    if (more !== null) out.note(more);
  },
});

const showWorkflow = command({
  name: 'workflows show',
  summary: 'a workflow with its steps: how they stand, and what they wait for',
  arguments: oneRun,
  options: {},
  run: async ({ args: [id], out, open }) => {
    const { workflows } = await open();
    const graph = await workflows.graph(id!);
    if (graph === null)
      throw new FailedError(`There is no workflow "${id}", or it has not begun, or was pruned.`);
    const columns: Column<GraphStep>[] = [
      { title: 'STEP', of: ({ name }) => name },
      {
        title: 'STATE',
        of: ({ state }) => state,
        paint: (cell, { state }) => out.paint(cell, colourOf(state)),
      },
      { title: 'RUN', of: ({ runId }) => runId ?? '' },
      { title: 'AFTER', of: ({ after }) => after.map(({ step }) => step).join(', ') },
      { title: 'WHY', of: ({ waitsFor, reason }) => waitsFor ?? reason ?? '' },
    ];
    out.print({ workflow: graph }, (paper) => {
      paper.fields({
        run: graph.runId,
        workflow: graph.workflow,
        version: graph.version === null ? null : String(graph.version),
        namespace: graph.namespace,
        state: graph.state,
        ending: graph.ending,
        params: out.json(graph.params),
        began: instant(graph.openedAt) || null,
        ended: instant(graph.endedAt) || null,
      });
      paper.line();
      paper.table(columns, graph.steps, 'It has no steps.');
    });
  },
});

const startWorkflow = change({
  name: 'workflows start',
  summary: 'starts a workflow',
  arguments: { '<name>': 'of the workflow' },
  options: {
    namespace: namespaceOption,
    params: json('--params <json>', 'what it is started with'),
    key: text('--key <text>', 'with it the workflow is started once, however often this is called'),
    version: whole('--workflow-version <number>', 'of its definition', {
      least: 1,
      most: highestVersion,
      absent: undefined,
    }),
    at: text('--at <time>', 'when it begins', { default: 'now' }),
    app: text('--app <name>', 'whose workflow it is', { default: 'default' }),
  },
  run: async ({ args: [name], values, out, open }) => {
    const { workflows } = await open();
    const started = await workflows.start(name!, given(values));
    out.print(started, (paper) => paper.line(`${started.runId}\t${started.status}`));
  },
});

const retryWorkflow = change({
  name: 'workflows retry',
  summary: 'lets a workflow go on that is over and has not succeeded',
  arguments: oneRun,
  options: {
    from: list('--from <steps>', 'these steps, and all that comes after them', {
      default: 'those that have not ended well',
    }),
  },
  run: async ({ args: [id], values: { from }, out, open }) => {
    const { workflows } = await open();
    const started = await workflows.retry(id!, given({ from }));
    out.print(started, (paper) => paper.line(`${id}\tgoes on as ${started.runId}`));
  },
});

function changing(name: 'cancel' | 'pause' | 'resume', past: string, summary: string): CliCommand {
  return change({
    name: `workflows ${name}`,
    summary,
    arguments: oneRun,
    options: {},
    run: async ({ args: [id], out, open, confirm }) => {
      if (name === 'cancel') await confirm(`Cancel the workflow ${id}?`);
      const { workflows } = await open();
      await workflows[name](id!);
      out.print({ runId: id, state: past }, (paper) => paper.line(`${id}\t${past}`));
    },
  });
}

export const workflowCommands: CliCommand[] = [
  listWorkflows,
  showWorkflow,
  startWorkflow,
  changing('pause', 'paused', 'holds the steps of a workflow'),
  changing('resume', 'resumed', 'lets a workflow go on that is paused'),
  retryWorkflow,
  changing('cancel', 'cancelled', 'ends a workflow'),
];
