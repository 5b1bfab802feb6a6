import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chronoschedRoutes } from '../../lib/http/chronosched/chronosched.routes.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';

test('the reference of REST lists each route, with what it needs', () => {
  const page = readFileSync(new URL('../../docs/reference/rest.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(GET|POST|PATCH|DELETE) ([^`]+)` \| (.*?) \|/gm)].map(
    ([, method, path, needs]) => `${method} ${path} ${needs}`,
  );
  expect(rows.toSorted()).toEqual(
    // Those of Chronosched are below a namespace as well.
    [...allRoutes, ...chronoschedRoutes.filter(({ path }) => !path.includes(':namespaceId'))]
      .map(({ method, path, needs }) => {
        const actions = typeof needs === 'string' ? [needs] : Object.values(needs.actions);
        const words = actions.map((action) => `\`${action}\``).join(' ');
        return `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')} ${words}`;
      })
      .toSorted(),
  );
});

test('the reference of REST lists each code of the API', () => {
  const page = readFileSync(new URL('../../docs/reference/rest.md', import.meta.url), 'utf8');
  const documented = [...page.split('## Codes')[1]!.matchAll(/`(http\.[a-z-]+)`/g)].map(([, code]) => code!);
  const folder = new URL('../../lib/http/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const used = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(/'(http\.[a-z-]+)'/g)].map(([, code]) => code!),
  );
  expect(documented.toSorted()).toEqual([...new Set(used)].toSorted());
});
