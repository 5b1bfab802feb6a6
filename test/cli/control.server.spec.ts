import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ControlServer } from '../../lib/cli/control.server.js';
import type { Session } from '../../lib/cli/session.js';
import { inFolder } from './cli.call.js';

test('a socket is for its user alone, and jobs of the meantime make files as usual', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'sock');
    const before = process.umask();
    const listening = ControlServer.listen(path, {} as Session);
    const seen = new Set<number>();
    // All that goes on in the process until it listens.
    let isListening = false;
    void listening.then(() => (isListening = true));
    for (let turn = 0; turn < 50 && !isListening; turn++) {
      await Promise.resolve();
      seen.add(process.umask());
    }
    const control = await listening;
    expect([...seen]).toEqual([before]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await control.close();
  });
});

test('the umask is put back where nobody can listen', async () => {
  const before = process.umask();
  await expect(ControlServer.listen('/nowhere/at/all/sock', {} as Session)).rejects.toThrow(
    /^Nobody can listen at \/nowhere/,
  );
  expect(process.umask()).toBe(before);
});
