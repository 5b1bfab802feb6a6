import type { KeptOutput } from './kept.output.js';
import { keptBytes } from './kept.output.js';

/** What comes of a command; its output is cut in the middle where it is long. @publicApi */
export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** How much it wrote, whatever is kept. */
  stdoutBytes: number;
  stderrBytes: number;
}

/** Less than results may have, in JSON. */
const mostOfResult = 60 * 1_024;
const shrink = 0.8;

/** As much of the output as fits into a result. */
export function commandResult(exitCode: number, stdout: KeptOutput, stderr: KeptOutput): CommandResult {
  for (let most = keptBytes; ; most = Math.floor(most * shrink)) {
    const result = {
      exitCode,
      stdout: stdout.text(most),
      stderr: stderr.text(most),
      stdoutBytes: stdout.bytes,
      stderrBytes: stderr.bytes,
    };
    // Some letters are six in JSON.
    if (most === 0 || Buffer.byteLength(JSON.stringify(result)) <= mostOfResult) return result;
  }
}
