import { change } from '../change.command.js';
import type { CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { text } from '../cli.option.js';
import { count } from '../cli.words.js';

const pruneRecords = change({
  name: 'prune',
  summary: 'deletes workflows that are over, and versions of definitions that were deleted, into the history',
  options: { olderThan: text('--older-than <duration>', 'those that are over for longer, such as 30d') },
  run: async ({ values: { olderThan }, out, open, confirm }) => {
    if (olderThan === undefined)
      throw new UsageError('--older-than is missing. Give for example --older-than 30d.');
    // Before anybody is asked.
    (await import('../../index.js')).parseDuration(olderThan, '--older-than');
    await confirm(`Delete what has been over for longer than ${olderThan}?`);
    const session = await open();
    const workflows = await session.workflows.prune({ olderThan });
    const definitions = await session.definitions.prune({ olderThan });
    out.print({ workflows, definitions }, (paper) =>
      paper.line(
        `${count(workflows, 'workflow')} and ${count(definitions, 'version')} of definitions deleted.`,
      ),
    );
  },
});

export const pruneCommands: CliCommand[] = [pruneRecords];
