import { every, none } from '../language/schedules.js';
import { scenario, variation } from '../language/scenario.js';
import { crash, deploy, during, later, restart, stop, stored, swap } from '../language/steps.js';

const idle = { options: { autoStart: false } } as const;
const orphaned = { state: 'orphaned' } as const;

/** Processes that declare jobs and run none. */
export const idleInstances = [
  scenario(
    'an API comes before the first worker, and its jobs fire when that is there',
    deploy('api1', { roles: { api: { daily: every(4) } }, ...idle }),
    stored('daily', orphaned),
    deploy('v1', { roles: { worker: { daily: every(4) } } }),
    during(8, { daily: every(4) }),
    stored('daily', { orphanedAt: null }),
    restart('api1'),
    during(4, { daily: every(4) }),
  ),
  scenario(
    'an API that is ahead of its workers, or stays behind them, changes no schedule',
    deploy('v1', { roles: { worker: { daily: every(4) } } }),
    deploy('api2', { roles: { api: { daily: every(2), other: every(3) } }, ...idle }),
    during(4, { daily: every(4), other: none }),
    stored('other', orphaned),
    swap('v1', 'v2', { roles: { worker: { daily: every(2), other: every(3) } } }),
    during(6, { daily: every(2), other: every(3) }),
    deploy('api1', { roles: { api: { daily: every(4) } }, ...idle }),
    restart('api1'),
    during(6, { daily: every(2), other: every(3) }),
  ),
  scenario(
    'an API renames nothing, and gives no method a second id, while no worker is there',
    deploy('v1', { roles: { worker: { daily: every(4, { id: 'a' }), mail: every(3, { id: 'b' }) } } }),
    during(4, { daily: every(4, { id: 'a' }), mail: every(3, { id: 'b' }) }),
    stop('v1'),
    deploy('api2', {
      roles: { api: { daily: every(4, { id: 'c', previousIds: ['a'] }), mail: every(3, { id: 'd' }) } },
      ...idle,
    }),
    stored('c', null),
    stored('d', null),
    deploy('v1'),
    during(6, { daily: every(4, { id: 'a' }), mail: every(3, { id: 'b' }) }),
    swap('v1', 'v2', {
      roles: { worker: { daily: every(4, { id: 'c', previousIds: ['a'] }), mail: every(3, { id: 'd' }) } },
    }),
    during(6, { daily: every(4, { id: 'c' }), mail: every(3, { id: 'd' }) }),
    stored('c', { runsOf: 'daily' }),
  ),
  variation(
    'an API keeps nothing alive: what only it declares is orphaned, also when its workers come back',
    deploy('v1', { roles: { worker: { daily: every(4), mail: every(3) } } }),
    deploy('api1', { roles: { api: { daily: every(4), mail: every(3) } }, ...idle }),
    crash('v1'),
    deploy('v2', { roles: { worker: { mail: every(3) } } }),
    later(11),
    restart('api1'),
    during(6, { daily: none, mail: every(3) }),
    stored('daily', orphaned),
  ),
];
