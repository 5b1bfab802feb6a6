import { expect, test } from 'vitest';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';

test.each([true, false])('every statement mentions the time, with notifications: %s', (notify) => {
  const statements = Object.entries(prepareStatements(tableNames('chronis', '', notify)));
  expect(statements.length).toBeGreaterThan(50);
  expect(statements.filter(([, text]) => !/\$1\b/.test(text)).map(([name]) => name)).toEqual([]);
});
