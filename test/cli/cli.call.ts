import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../lib/cli/main.js';

/** What a command came to. */
export interface Called {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CallOptions {
  env?: Readonly<Record<string, string>>;
  /** As wide as that; absent: it is no terminal. */
  terminal?: number;
  /** What somebody answers; absent: nobody is there. */
  answer?: string;
  signal?: AbortSignal;
}

/** The command line within this process: nothing of the variables of the tests reaches it. */
export async function chronis(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const { env = {}, terminal, answer, signal = new AbortController().signal } = options;
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts) => ({
    write: (text: string) => void (texts[name] += text),
    isTerminal: terminal !== undefined,
    columns: terminal,
  });
  const code = await main(args, {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
    signal,
    ask:
      answer === undefined
        ? null
        : async (question) => {
            texts.stderr += question;
            return answer;
          },
  });
  return { code, ...texts };
}

/** The result of a command that is asked for JSON. */
export async function document(args: readonly string[], options: CallOptions = {}): Promise<any> {
  const { stdout, stderr } = await chronis([...args, '--json'], options);
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${args.join(' ')} printed no JSON: ${stdout}\n${stderr}`);
  }
}

/** A folder that is there as long as `work` goes on. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'chronis-cli-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
