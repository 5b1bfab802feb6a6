import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../../lib/processes/made.folder.js';
import { compiledTests } from '../support/compiled.js';
import { inFolder } from './cli.call.js';

test.skipIf(process.platform !== 'linux')(
  'a state folder that the system does not let anybody make ends the command, and takes no core for ever',
  () =>
    inFolder(async (folder) => {
      const { PATH = '' } = process.env;
      const bin = join(compiledTests(), 'lib/cli/bin.js');
      const { status, stderr } = spawnSync(process.execPath, [bin, 'run', '--jobs-dir', folder], {
        env: { PATH, XDG_STATE_HOME: '/proc/of/nobody' },
        timeout: 15_000,
        killSignal: 'SIGKILL',
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/^chronis: The folder \/proc\/of\/nobody\S* cannot be made: .*XDG_STATE_HOME/m);
      expect(status).toBe(1);
    }),
);

test('folders are made one in the other, and stay as they are where they are there', () =>
  inFolder((folder) => {
    const path = join(folder, 'one/two');
    makeFolder(path, 0o700);
    makeFolder(path, 0o755);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(() => makeFolder('/dev/null/below', 0o700)).toThrow(/ENOTDIR/);
    return Promise.resolve();
  }));
