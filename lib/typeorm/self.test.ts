import { isDeepStrictEqual } from 'node:util';
import { StorageError } from '../model/errors.js';
import type { Queries } from './database.js';
import { selfTestSql } from './sql/self.test.sql.js';
import { whereSet } from './where.set.js';

interface Answer {
  big: string;
  document: unknown;
  isolation: string;
  lock_timeout: string;
}

const big = '9007199254740993';
const document = { text: 'ä', nothing: null, list: [1.5, 'x'] };

/**
 * Makes sure at boot of what the statements depend on and Chronis could not set itself, as behind a pooler. Throws StorageError, which names the setting, who
 * has set it, and how to take it back.
 */
export async function assertUsable(queries: Queries, place: string): Promise<void> {
  const [answer] = await queries.run<Answer>(selfTestSql(), [big, document]);
  const refuse = async (setting: string, why: string): Promise<never> => {
    throw new StorageError(
      `PostgreSQL at ${place} cannot be used: ${why} ${await whereSet((text, values) => queries.run(text, values), setting)}`,
    );
  };
  if (answer.isolation !== 'read committed') {
    await refuse(
      'default_transaction_isolation',
      `default_transaction_isolation is "${answer.isolation}", at which workers keep failing each other's statements; it has to be "read committed".`,
    );
  }
  if (answer.lock_timeout !== '0') {
    await refuse(
      'lock_timeout',
      `lock_timeout is ${answer.lock_timeout}, so that statements fail which have only to wait for their turn; it has to be 0, as they have deadlines of their own.`,
    );
  }
  if (answer.big !== big || !isDeepStrictEqual(answer.document, document)) {
    throw new StorageError(
      `PostgreSQL at ${place} cannot be used: the driver reads columns in its own way. Leave the option driver out, or give it the JavaScript client of pg.`,
    );
  }
}
