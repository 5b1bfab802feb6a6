import { expect, test } from 'vitest';
import type { Stream } from '../../lib/cli/cli.io.js';
import { Output } from '../../lib/cli/output.js';
import { scrubber } from '../../lib/cli/secrets.js';

test('what goes on tells once that nobody reads its lines any more', () => {
  const told: string[] = [];
  let isGone = false;
  const stdout: Stream = {
    write: () => undefined,
    isTerminal: false,
    columns: undefined,
    get isGone() {
      return isGone;
    },
  };
  const stderr: Stream = { write: (text) => void told.push(text), isTerminal: false, columns: undefined };
  const out = new Output({ stdout, stderr }, { json: false, colours: false, scrub: scrubber([]) });
  out.lineGoingOn('a');
  expect(told).toEqual([]);
  isGone = true;
  out.lineGoingOn('b');
  out.lineGoingOn('c');
  expect(told).toEqual([
    'chronis: nobody reads stdout any more. The service goes on, and the lines of its runs are lost.\n',
  ]);
});
