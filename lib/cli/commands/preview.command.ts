import type { TriggerInput } from '../../index.js';
import { command, type CliCommand } from '../cli.command.js';
import { text, whole } from '../cli.option.js';

const isoDate = /^[+-]?\d{4,6}-\d\d/;
/** `90s`, `1h30m`, `PT5M`, `@every 5m`. */
const pace =
  /^(?:@every\s+)?((?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|[smhdw]|sec(?:ond)?s?|min(?:ute)?s?|hours?|days?|weeks?)\s*)+|P[\dTYMWDHS.,]+)$/i;

const previewExpression = command({
  name: 'preview',
  summary: 'what a schedule will do, with the changes of clocks; needs no storage',
  arguments: { '<schedule>': 'a cron expression, a duration such as 5m, or a time' },
  options: {
    tz: text('--tz <zone>', 'such as Asia/Seoul', { default: 'UTC' }),
    count: whole('--count <count>', 'how many instants', { least: 1, most: 1_000, absent: 5 }),
    from: text('--from <time>', 'instants after this one', { default: 'now' }),
  },
  examples: [`chronis preview '0 9 * * MON-FRI' --tz Asia/Seoul --count 3`, 'chronis preview 90m'],
  run: async ({ args: [given], values: { tz: timeZone = 'UTC', count, from }, out }) => {
    const { preview } = await import('../../index.js');
    const shown = preview(triggerOf(given!.trim()), { from: from ?? new Date(), count, timeZone });
    out.print(shown, (paper) => {
      paper.line(`${shown.sentence}:`);
      for (const { at, wallTime, offset, excluded, remarks } of shown.occurrences) {
        const words = remarks.map(({ text: remark }) => remark);
        const time =
          excluded > 0 ? `  not ${wallTime} ${offset}` : `  ${wallTime} ${offset}  ${at.toISOString()}`;
        paper.line([time, ...words].join('  '));
      }
      for (const { text: remark } of shown.remarks) paper.line(`  ${remark}`);
    });
  },
});

function triggerOf(given: string): TriggerInput {
  if (isoDate.test(given)) return { type: 'at', at: given };
  const every = pace.exec(given)?.[1];
  return every === undefined ? { type: 'cron', expression: given } : { type: 'interval', every };
}

export const previewCommands: CliCommand[] = [previewExpression];
