import { expect, test } from 'vitest';
import { StorageError } from '../../lib/index.js';
import { answered } from '../../lib/typeorm/deadline.js';

test.each<[string, unknown]>([
  ['nothing', null],
  ['no client of pg', {}],
  ['a client that was never connected', { connection: null }],
  [
    'a client that refuses to end',
    {
      connection: {
        stream: {
          destroy: () => {
            throw new Error('It goes on.');
          },
        },
      },
    },
  ],
])('a deadline is kept where there is %s to end', async (_, client) => {
  const late = answered(client, 1, new Promise(() => undefined));
  await expect(late).rejects.toThrow(new StorageError('PostgreSQL did not answer within 1 ms.'));
});
