import { every, none } from '../language/schedules.js';
import { scenario, variation } from '../language/scenario.js';
import { canary, crash, deploy, during, later, restart, roll, stop, stored } from '../language/steps.js';
import { twoOfV1, v2, v3 } from './daily.js';

const twoAndCanary = [twoOfV1, canary('v2', v2)];

/** One instance of a new release beside the old ones, which never restart. */
export const canaries = [
  variation(
    'a canary that is kept',
    ...twoAndCanary,
    during(3, { daily: every(3) }),
    roll('v1', 'v2'),
    during(3, { daily: every(3) }),
  ),
  scenario(
    'a canary that is taken back',
    twoOfV1,
    during(4, { daily: every(4) }),
    canary('v2', v2),
    during(3, { daily: every(3) }),
    stop('v2'),
    during(4, { daily: every(4) }),
    stored('daily', { runsOf: 'daily' }),
  ),
  scenario(
    'a canary that crashes',
    ...twoAndCanary,
    during(3, { daily: every(3) }),
    crash('v2'),
    during(4, { daily: every(4) }),
  ),
  scenario(
    'a canary that restarts',
    ...twoAndCanary,
    restart('v2'),
    during(3, { daily: every(3) }),
    restart('v1'),
    during(3, { daily: every(3) }),
  ),
  variation(
    'a canary that is taken back, and comes again as it was',
    ...twoAndCanary,
    stop('v2'),
    during(4, { daily: every(4) }),
    canary('v2', v2),
    during(3, { daily: every(3) }),
  ),
  variation(
    'a canary with a job more, which goes with it',
    twoOfV1,
    canary('v2', { roles: { web: { daily: every(4), extra: every(2) } } }),
    during(4, { daily: every(4), extra: every(2) }),
    stop('v2'),
    during(4, { daily: every(4), extra: none }),
    later(11),
    stored('extra', { state: 'orphaned' }),
  ),
  variation(
    'a canary that lacks a job: the old ones go on with it',
    deploy('v1', { roles: { web: { daily: every(4), extra: every(2) } } }),
    canary('v2', { roles: { web: { daily: every(3) } } }),
    during(6, { daily: every(3), extra: every(2) }),
    stop('v2'),
    during(4, { daily: every(4), extra: every(2) }),
  ),
  variation(
    'two canaries, of which the later one is taken back first',
    ...twoAndCanary,
    canary('v3', v3),
    during(4, { daily: every(2) }),
    stop('v3'),
    during(3, { daily: every(3) }),
    stop('v2'),
    during(4, { daily: every(4) }),
  ),
  variation(
    'a canary stays for long, and then goes',
    ...twoAndCanary,
    during(3, { daily: every(3) }),
    later(30),
    during(3, { daily: every(3) }),
    stop('v2'),
    during(4, { daily: every(4) }),
  ),
];
