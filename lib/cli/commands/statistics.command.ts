import { command, type CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { text } from '../cli.option.js';
import { count, instant } from '../cli.words.js';
import { given } from '../shared.options.js';

const rebuild = command({
  name: 'stats rebuild',
  summary: 'counts the statistics of whole hours anew out of the ledger, as far as it reaches back',
  options: {
    from: text('--from <time>', 'from the hour on that it is in, such as 2026-11-30T00:00Z'),
    to: text('--to <time>', 'up to the end of the hour before it', { default: 'now' }),
  },
  examples: ['chronis stats rebuild --from 2026-11-30T00:00Z'],
  run: async ({ values: { from, to }, out, open }) => {
    if (from === undefined)
      throw new UsageError('--from is missing. Give for example --from 2026-11-30T00:00Z.');
    const { scheduler } = await open();
    const rebuilt = await scheduler.rebuildStatistics({ from, ...given({ until: to }) });
    out.print(rebuilt, (paper) =>
      paper.line(
        rebuilt.from === null
          ? 'Nothing was counted: the ledger has nothing of that time, or may have forgotten some of it.'
          : `${count(rebuilt.hours, 'hour')} counted anew, from ${instant(rebuilt.from)} to ${instant(rebuilt.until!)}.`,
      ),
    );
  },
});

export const statisticsCommands: CliCommand[] = [rebuild];
