import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { longFlag } from '../../lib/cli/cli.command.js';
import { commands } from '../../lib/cli/command.list.js';
import { chronis, inFolder } from './cli.call.js';

const execute = promisify(execFile);
const scripts: Record<string, string> = {};

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) scripts[shell] = (await chronis(['completion', shell])).stdout;
});

/** Whether it is on this machine; says loudly what is not tested where it is not. */
function has(shell: string): boolean {
  if (spawnSync(shell, ['-c', 'exit 0']).status === 0) return true;
  process.stderr.write(
    `\n${shell} is not on this machine, so its completion is not tested. apt-get install ${shell}\n`,
  );
  return false;
}

/** What is typed, and what the line is after a TAB. */
const lines: [typed: string, becomes: string][] = [
  ['chronis pau', 'chronis pauses '],
  ['chronis jobs cre', 'chronis jobs create '],
  ['chronis jobs list --prefix o --sta', 'chronis jobs list --prefix o --state '],
  ['chronis --json workflows st', 'chronis --json workflows start '],
  ['chronis --storage jobs workf', 'chronis --storage jobs workflows '],
  ['chronis run --emit-q', 'chronis run --emit-queues '],
  ['chronis run --log-level INF', 'chronis run --log-level INFO '],
  ['chronis run --migrate che', 'chronis run --migrate check '],
  ['chronis completion fi', 'chronis completion fish '],
  ['chronis run --jobs-dir ./fold', 'chronis run --jobs-dir ./folder.d/'],
  ['chronis jobs show ab --namesp', 'chronis jobs show ab --namespace '],
];

/** A folder with a folder and a file in it, and a home without settings. */
async function inHome(work: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'folder.d'));
    writeFileSync(join(folder, 'notes.txt'), '');
    await work(folder);
  });
}

describe.skipIf(!has('bash'))('bash', () => {
  test('completes commands, options and files', async () => {
    await inHome(async (folder) => {
      writeFileSync(join(folder, 'script'), scripts.bash!);
      const asks = lines.map(([line]) => {
        const words = line.split(' ').map((word) => `'${word}'`);
        return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _chronis; echo "\${COMPREPLY[*]}"`;
      });
      const args = ['--norc', '-c', `source ./script\n${asks.join('\n')}`];
      const { stdout, stderr } = await execute('bash', args, { cwd: folder });
      expect(stderr).toBe('');
      const last = lines.map(([, becomes]) => becomes.trim().split(' ').at(-1)!);
      // Where it has nothing, bash completes files by itself.
      expect(stdout.split('\n').slice(0, -1)).toEqual(
        last.map((word) => (word.startsWith('./') ? '' : word)),
      );
    });
  });
});

describe.skipIf(!has('zsh'))('zsh', () => {
  async function typed(folder: string, loading: string, ...typing: string[]): Promise<string[]> {
    const driver = join(import.meta.dirname, 'completion.zsh');
    const env = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', LINES_FILE: join(folder, 'lines') };
    await execute('zsh', ['-f', driver, loading, ...typing], { cwd: folder, env, timeout: 60_000 });
    return readFileSync(join(folder, 'lines'), 'utf8').split('\n').slice(0, -1);
  }
  const asked = lines.map(([line]) => line);
  const wanted = lines.map(([, becomes]) => becomes);

  test('completes commands, options and files', async () => {
    await inHome(async (folder) => {
      writeFileSync(join(folder, 'script'), scripts.zsh!);
      expect(await typed(folder, 'eval "$(cat ./script)"', ...asked)).toEqual(wanted);
    });
  });

  test('does so from the first TAB on where it finds the script by itself', async () => {
    await inHome(async (folder) => {
      mkdirSync(join(folder, 'functions'));
      writeFileSync(join(folder, 'functions/_chronis'), scripts.zsh!);
      const loading = `fpath=(${folder}/functions $fpath); compinit -u -D`;
      expect(await typed(folder, loading, ...asked)).toEqual(wanted);
    });
  });
});

describe.skipIf(!has('fish'))('fish', () => {
  async function offered(folder: string, line: string): Promise<string[]> {
    const env = { PATH: process.env.PATH, HOME: folder };
    const script = `source ./script; complete -C ${JSON.stringify(line)}`;
    const { stdout, stderr } = await execute('fish', ['--no-config', '-c', script], { cwd: folder, env });
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .filter((each) => each !== '')
      .map((each) => each.split('\t')[0]!);
  }

  test('completes commands, options and files', async () => {
    await inHome(async (folder) => {
      writeFileSync(join(folder, 'script'), scripts.fish!);
      for (const [line, becomes] of lines)
        expect(await offered(folder, line), line).toEqual([becomes.trim().split(' ').at(-1)]);
    });
  });

  test('offers what may follow, and nothing else', async () => {
    await inHome(async (folder) => {
      writeFileSync(join(folder, 'script'), scripts.fish!);
      const words = (group: string): string[] =>
        commands.flatMap(({ name }) => (name.startsWith(`${group} `) ? name.split(' ')[1]! : [])).toSorted();
      expect((await offered(folder, 'chronis jobs ')).toSorted()).toEqual(words('jobs'));
      expect(await offered(folder, 'chronis jobs list --pr')).toEqual(['--prefix']);
      expect(await offered(folder, 'chronis --pr')).toEqual([]);
      const own = Object.values(commands.find(({ name }) => name === 'run')!.options).map(longFlag);
      expect(await offered(folder, 'chronis run --')).toEqual(expect.arrayContaining([...own, '--storage']));
      expect(await offered(folder, 'chronis why --emit')).toEqual([]);
    });
  });
});

test('an option takes a value in all commands or in none: the scripts go by its name', () => {
  const takes = new Map<string, boolean>();
  for (const option of commands.flatMap(({ options }) => Object.values(options))) {
    const takesValue = option.flags.includes('<');
    expect(takes.get(longFlag(option)) ?? takesValue, option.flags).toBe(takesValue);
    takes.set(longFlag(option), takesValue);
  }
});
