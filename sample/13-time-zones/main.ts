// What schedules mean in their zones: clock changes, exclusions and calendars, looked at before anything runs.
import { describe, InvalidScheduleError, nextOccurrences, preview, type TriggerInput } from 'nestjs-chronis';

function show(title: string, trigger: TriggerInput, from: string, count: number): void {
  const { sentence, occurrences } = preview(trigger, { from, count, calendars });
  console.log(`${title}: ${sentence}`);
  for (const { at, wallTime, offset, excluded, remarks } of occurrences) {
    const line = `  ${wallTime.slice(0, 16)} ${offset}  ${at.toISOString().slice(0, 16)}Z`;
    const said = excluded > 0 ? [{ text: `excluded, ${excluded} in a row` }] : remarks;
    console.log(`${line}  ${said.map(({ text }) => text).join(' ')}`.trimEnd());
  }
}

/** In an application: the option `calendars` of the module. */
const calendars = { holidays: [{ dates: ['2026-12-25', '2026-12-26'] }] };
const inNewYork = { type: 'cron', timeZone: 'America/New_York' } as const;

show('Clocks go forward', { ...inNewYork, expression: '30 2 * * *' }, '2026-03-07T00:00Z', 3);
show('Clocks go back', { ...inNewYork, expression: '30 1 * * *' }, '2026-10-31T00:00Z', 3);
show('A pace keeps its pace', { ...inNewYork, expression: '*/30 * * * *' }, '2026-11-01T05:00Z', 4);
const both = { ...inNewYork, expression: '30 1 * * *', dst: { overlap: 'both' } } as const;
show('In both passes', both, '2026-11-01T00:00Z', 3);
const exclude = [{ calendar: 'holidays' }];
const shop = { type: 'cron', expression: '0 9 * * MON-SAT', timeZone: 'Europe/Berlin', exclude } as const;
show('Not on holidays', shop, '2026-12-24T00:00Z', 3);

console.log('One expression, three zones:');
for (const timeZone of ['Asia/Seoul', 'Europe/Lisbon', 'America/New_York']) {
  const trigger = { type: 'cron', expression: '0 9 * * *', timeZone } as const;
  const [at] = nextOccurrences(trigger, { from: '2026-07-01T00:00Z', count: 1 });
  console.log(`  ${at!.toISOString().slice(0, 16)}Z  ${describe(trigger)}`);
}

console.log('Refused, and why:');
for (const wrong of [{ timeZone: 'EST' }, { expression: '0 25 * * *' }, { expression: '0 0 30 2 *' }]) {
  try {
    nextOccurrences({ ...inNewYork, expression: '0 9 * * *', ...wrong }, { from: '2026-01-01T00:00Z' });
  } catch (error) {
    if (error instanceof InvalidScheduleError) console.log(`  ${error.message}`);
  }
}
