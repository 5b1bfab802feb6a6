import { afterEach, describe, expect, test } from 'vitest';
import type { HttpAccess, HttpAction } from '../../lib/http/index.js';
import { httpActions } from '../../lib/http/http.access.js';
import { chronoschedRoutes } from '../../lib/http/chronosched/chronosched.routes.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

/** What the body has to say for the action, where that decides. */
const served = [
  ...allRoutes.map((route) => ({ route, path: `/chronis/${route.path}` })),
  ...chronoschedRoutes.map((route) => ({ route, path: `/api/v1/${route.path}` })),
];
const requests = served.flatMap(({ route, path }) => {
  const { needs } = route;
  return typeof needs === 'string'
    ? [{ route, path, needs, body: {} }]
    : Object.entries(needs.actions).map(([word, action]) => ({
        route,
        path,
        needs: action,
        body: { [needs.key]: word },
      }));
});

describe.each(platforms)('permissions on %s', (platform) => {
  let chronis: HttpChronis;
  afterEach(() => chronis.close());

  /** Whether each request was refused. */
  const refused = async (): Promise<[name: string, needs: string, isRefused: boolean][]> => {
    const results: [string, string, boolean][] = [];
    for (const { route, path, needs, body } of requests) {
      const answer = await fetch(`${chronis.http.url}${path.replaceAll(/:\w+/g, '7')}`, {
        method: route.method,
        headers: { 'content-type': 'application/json' },
        ...(route.method !== 'GET' && { body: JSON.stringify(body) }),
      });
      const isRefused = answer.status === 403;
      if (isRefused) expect(await answer.json()).toMatchObject({ code: 'http.not-permitted' });
      // What goes on does not end by itself.
      else await answer.body?.cancel();
      expect([route.name, answer.status]).not.toEqual([route.name, 500]);
      results.push([route.name, needs, isRefused]);
    }
    return results;
  };

  test('each route needs what the table says: nothing goes without, and each action allows its own routes and looking', async () => {
    let access: HttpAccess = 'none';
    chronis = await HttpChronis.boot(platform, { access: () => access, chronosched: true });
    for (const [name, , isRefused] of await refused()) expect([name, isRefused]).toEqual([name, true]);
    for (const allowed of ['read', 'all', ...httpActions] as const) {
      access = allowed === 'read' || allowed === 'all' ? allowed : [allowed as HttpAction];
      for (const [name, needs, isRefused] of await refused()) {
        const isAllowed = allowed === 'all' || needs === 'read' || needs === allowed;
        expect([allowed, name, isRefused]).toEqual([allowed, name, !isAllowed]);
      }
    }
  });

  test('there are no other routes below the path, and each action has one', async () => {
    chronis = await HttpChronis.boot(platform, { chronosched: true });
    const named = requests.map(({ needs }) => needs);
    expect(httpActions.filter((action) => !named.includes(action))).toEqual([]);
    expect(routesOf(platform, chronis.http.app.getHttpAdapter().getInstance()).toSorted()).toEqual(
      served.map(({ route, path }) => `${route.method} ${path}`).toSorted(),
    );
  });

  test('what the application says wrong lets nobody in', async () => {
    let access: unknown;
    chronis = await HttpChronis.boot(platform, { access: () => access as never });
    for (access of [undefined, null, true, 'reed', ['paus'], {}]) {
      const { status, json } = await chronis.get('jobs');
      expect([access, status, json.code]).toEqual([access, 500, 'http.failed']);
      expect(json.detail).toBe('Something went wrong. The log of the application has it.');
    }
  });
});

function routesOf(platform: string, instance: any): string[] {
  if (platform === 'express') {
    return instance.router.stack.flatMap(({ route }: any) =>
      route === undefined
        ? []
        : Object.keys(route.methods as object).map((method) => `${method.toUpperCase()} ${route.path}`),
    );
  }
  // Its listing is a tree, whose lines have the rest of each path.
  const found: string[] = [];
  const stack: string[] = [];
  for (const line of instance.printRoutes({ commonPrefix: false }).split('\n') as string[]) {
    const match = /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) continue;
    const depth = match[1]!.length / 4;
    stack.length = depth;
    stack[depth] = match[2]!;
    for (const method of match[3]?.split(', ') ?? []) {
      if (method !== 'HEAD' && method !== 'OPTIONS') found.push(`${method} ${stack.join('')}`);
    }
  }
  return found;
}
