import { spawnSync } from 'node:child_process';

/** Of Debian's package `prometheus`; null: it is not installed, so what needs it is skipped. */
export const noPromtool: string | null =
  spawnSync('promtool', ['--version']).error === undefined
    ? null
    : 'promtool is not installed (apt-get install prometheus)';

/** What it says, and how it ends. */
export function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}
