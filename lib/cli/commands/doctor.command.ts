import type { Diagnosis, Finding, FindingSeverity, Unchecked } from '../../typeorm/index.js';
import { command, type CliCommand } from '../cli.command.js';
import { text, whole } from '../cli.option.js';
import { count } from '../cli.words.js';
import { exitCodes } from '../exit.codes.js';
import type { Colour } from '../output.js';
import { given } from '../shared.options.js';
import type { StorageChoice } from '../storage.choice.js';

type Postgres = Extract<StorageChoice, { kind: 'postgres' }>;

const colours: Readonly<Record<FindingSeverity, Colour>> = { error: 'red', warning: 'yellow', note: 'dim' };

const examine = command({
  name: 'doctor',
  summary:
    'what is wrong with the storage and the work in it, and what mends it: 2 where something is, 1 where that is not known',
  options: {
    overdueAfter: text('--overdue-after <time>', 'what has been due for longer is overdue', {
      default: '1m',
    }),
    longTransaction: text('--long-transaction <time>', 'transactions of anybody that are older are told', {
      default: '15m',
    }),
    forgottenAfter: text('--forgotten-after <time>', 'the same of pauses and open runs', { default: '7d' }),
    deadLetters: whole('--dead-letters <count>', 'from so many on runs that gave up pile up', {
      least: 1,
      most: 1_000_000_000,
      absent: 1_000,
    }),
    listenUrl: text('--listen-url <url>', 'as listenUrl of the application, past a pooler', {
      variable: 'CHRONIS_LISTEN_URL',
    }),
    timeout: text('--timeout <time>', 'of each statement', { default: '5s' }),
  },
  examples: ['chronis doctor', 'chronis doctor --json | jq -r .findings[].repair.text'],
  run: async ({ values, out, storage, open }) => {
    const choice = storage();
    const found =
      choice.kind === 'postgres'
        ? await ofPostgres(choice, values)
        : await (await import('../storage.checkup.js')).checkUp(choice, await open(), values);
    const isIll = found.findings.some(({ severity }) => severity !== 'note');
    const isKnown = isIll || !found.unchecked.some(leavesOpen);
    out.print({ healthy: isKnown ? !isIll : null, ...found }, (paper) => {
      const { server, checked, unchecked, findings } = found;
      paper.line(`${server}: ${count(checked.length, 'check')}, ${outcome(found)}.`);
      for (const { severity, code, sentence, repair } of findings) {
        paper.line();
        paper.line(`${out.paint(severity, colours[severity])} ${code}`);
        paper.line(`  ${sentence}`);
        paper.line(`  ${mending(repair)}`);
      }
      if (unchecked.length > 0) paper.line();
      for (const { check, why } of unchecked) paper.line(`not checked: ${check} (${why})`);
    });
    if (isIll) return exitCodes.found;
    return isKnown ? exitCodes.fine : exitCodes.failed;
  },
});

/** What a role may never read would be unknown for ever. By the schema alone it is known which tables there are to look at. */
function leavesOpen({ check, lacksRight }: Unchecked): boolean {
  return !lacksRight || check === 'schema';
}

function outcome({ findings, unchecked }: Diagnosis): string {
  const isAll = unchecked.length === 0;
  const open = isAll
    ? ''
    : `; ${findings.length === 0 ? unchecked.length : count(unchecked.length, 'check')} could not be made`;
  if (findings.length > 0) return `${count(findings.length, 'finding')}${open}`;
  return `nothing is wrong${isAll ? '' : ' in these'}${open}`;
}

async function ofPostgres({ server, schema }: Postgres, values: object): Promise<Diagnosis> {
  const { assertInstalled } = await import('../session.js');
  assertInstalled(['pg', 'typeorm']);
  const { diagnose } = await import('../../typeorm/index.js');
  return diagnose({ ...server, ...given({ schema, ...values }) });
}

function mending({ by, text: words }: Finding['repair']): string {
  return by === 'sql' ? `psql: ${words}` : by === 'command' ? `run: ${words}` : `mend: ${words}`;
}

export const doctorCommands: CliCommand[] = [examine];
