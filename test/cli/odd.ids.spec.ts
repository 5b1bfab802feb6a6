import { expect, test } from 'vitest';
import { hostileTexts } from '../support/hostile.texts.js';
import { chronis, document, inFolder } from './cli.call.js';

const make = ['jobs', 'create', '--handler', 'work', '--manual', '--allow-unknown-handler'];
const ids = [
  ...['a/b.c', '%2F', '..', '.', '-', '--json', '-x', 'x y', '🎉', 'x'.repeat(255)],
  ...hostileTexts.filter((text) => !/\p{Cc}/u.test(text)),
];

test.each(ids)('the id %j is the same in all commands and on record', async (id) => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    const made = await chronis([...make, `--id=${id}`, ...at]);
    expect(made.code, made.stderr).toBe(0);
    expect((await document(['jobs', ...at])).jobs).toMatchObject([{ id }]);
    const changed = await chronis(['jobs', 'pause', ...at, '--', id]);
    expect(changed.code, changed.stderr).toBe(0);
    const { stdout } = await chronis(['jobs', 'show', ...at, '--json', '--', id]);
    expect(JSON.parse(stdout)).toMatchObject({ job: { id, state: 'paused' } });
    const { audit } = await document(['audit', `--job=${id}`, ...at]);
    expect(audit).toMatchObject([
      { action: 'pause', jobId: id },
      { action: 'create', jobId: id },
    ]);
    // A terminal gets nothing that it would obey.
    const shown = await chronis(['jobs', ...at, '--no-color'], { terminal: 80 });
    expect(shown.stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u);
  });
});
