import { command, type CliCommand } from '../cli.command.js';
import { given, namespaceOption } from '../shared.options.js';

const why = command({
  name: 'why',
  summary: 'what became of one instant of a job, or will, and why',
  arguments: { '<job>': 'its id', '<instant>': 'a time of its schedule; without an offset in its zone' },
  options: { namespace: namespaceOption },
  examples: [`chronis why daily-report '2026-11-30 09:00'`],
  run: async ({ args: [id, instant], values, out, open }) => {
    const { scheduler } = await open();
    const found = await scheduler.explain(id!, instant!, given(values));
    out.print(found, (paper) => paper.line(found.sentence));
  },
});

export const whyCommands: CliCommand[] = [why];
