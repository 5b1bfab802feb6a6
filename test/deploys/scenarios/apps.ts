import { every, none } from '../language/schedules.js';
import { scenario, variation } from '../language/scenario.js';
import {
  call,
  canary,
  crash,
  deploy,
  during,
  later,
  looksAgain,
  refused,
  roll,
  stop,
  stored,
} from '../language/steps.js';

const shop = { app: 'shop', roles: { api: { handleCron: every(4, { id: 'shop-cron' }) } } };
const billing = { app: 'billing', roles: { api: { handleCron: every(3, { id: 'billing-cron' }) } } };
const bothCrons = {
  'shop/handleCron': every(4, { id: 'shop-cron' }),
  'billing/handleCron': every(3, { id: 'billing-cron' }),
};
const nightly = { roles: { web: { nightly: every(4) } } };
const taken = 'CHRONIS_JOB_ID_TAKEN';

/** Several applications on one schema. */
export const apps = [
  scenario(
    'two apps with equal names of classes and methods',
    deploy('shop1', shop),
    deploy('billing1', billing),
    during(12, bothCrons),
    stop('shop1'),
    during(6, { 'billing/handleCron': every(3, { id: 'billing-cron' }), 'shop/handleCron': none }),
  ),
  variation(
    'two apps with equal names: a canary of one changes its id, and is taken back',
    deploy('shop1', shop),
    deploy('billing1', billing),
    canary('shop2', { app: 'shop', roles: { api: { handleCron: every(2, { id: 'shop-often' }) } } }),
    during(6, { ...bothCrons, 'shop/handleCron': every(2, { id: 'shop-often' }) }),
    stop('shop2'),
    during(6, bothCrons),
  ),
  scenario(
    'a second app wants the id of the first: it is refused, and has written nothing',
    deploy('shop1', { app: 'shop', ...nightly }),
    refused('billing1', { app: 'billing', roles: { web: { other: every(2), nightly: every(3) } } }, taken),
    during(8, { 'shop/nightly': every(4) }),
    stored('other', null),
  ),
  scenario(
    'a release is refused as an id is taken by a job made at run time: the old one goes on as it was',
    deploy('v1', nightly),
    call('"taken" is made at run time', 'v1', (scheduler) =>
      scheduler.createCronJob({ id: 'taken', expression: '0 0 1 1 *', handler: 'Jobs.nightly' }),
    ),
    refused('v2', { roles: { web: { nightly: every(2), taken: every(3) } } }, taken),
    during(8, { nightly: every(4) }),
    call('"taken" is deleted', 'v1', (scheduler) => scheduler.deleteJob('taken')),
    roll('v1', 'v3', { roles: { web: { nightly: every(2), taken: every(3) } } }),
    during(6, { nightly: every(2), taken: every(3) }),
  ),
  scenario(
    'an app gets a name, and says which one it had, in a rolling update',
    deploy('v1', { ...nightly, replicas: 2 }),
    during(4, { nightly: every(4) }),
    deploy('v2', { ...nightly, app: 'shop', options: { previousApps: ['default'] } }),
    during(4, { 'shop/nightly': every(4) }),
    stored('nightly', { app: 'shop' }),
    stop('v1'),
    during(4, { 'shop/nightly': every(4) }),
  ),
  scenario(
    'an app gets a name, and is taken back: the old instances have their jobs again after ten minutes',
    deploy('v1', nightly),
    canary('v2', { ...nightly, app: 'shop', options: { previousApps: ['default'] } }),
    during(4, { 'shop/nightly': every(4) }),
    stop('v2'),
    later(11),
    looksAgain('v1'),
    during(4, { nightly: every(4) }),
    stored('nightly', { app: 'default' }),
  ),
  scenario(
    'an app gets a name without more: it starts when the old one has been gone for ten minutes',
    deploy('v1', nightly),
    during(4, { nightly: every(4) }),
    refused('v2', { ...nightly, app: 'shop' }, taken),
    stop('v1'),
    refused('v2', { ...nightly, app: 'shop' }, taken),
    later(11),
    deploy('v2', { ...nightly, app: 'shop' }),
    during(4, { 'shop/nightly': every(4) }),
  ),
  variation(
    'an app crashes for good: another one has its job after ten minutes',
    deploy('v1', nightly),
    during(4, { nightly: every(4) }),
    crash('v1'),
    during(4, { nightly: none }),
    later(12),
    deploy('v2', { ...nightly, app: 'shop' }),
    during(4, { 'shop/nightly': every(4) }),
  ),
  scenario(
    'a job moves from one app to another one, both of which live on',
    deploy('shop1', { app: 'shop', roles: { api: { nightly: every(4), orders: every(6) } } }),
    deploy('billing1', { app: 'billing', roles: { api: { invoices: every(3) } } }),
    during(6, { 'shop/nightly': every(4), 'shop/orders': every(6), 'billing/invoices': every(3) }),
    roll('shop1', 'shop2', { app: 'shop', roles: { api: { orders: every(6) } } }),
    roll('billing1', 'billing2', {
      app: 'billing',
      roles: { api: { invoices: every(3), nightly: every(4) } },
      options: { previousApps: ['shop'] },
    }),
    during(6, { 'billing/nightly': every(4), 'shop/orders': every(6), 'billing/invoices': every(3) }),
    later(11),
    during(6, { 'billing/nightly': every(4), 'shop/orders': every(6), 'billing/invoices': every(3) }),
    stored('nightly', { app: 'billing', orphanedAt: null }),
  ),
  scenario(
    'a job moves to another app, under another id, while the first one still declares it',
    deploy('shop1', { app: 'shop', roles: { api: { nightly: every(4) } } }),
    during(4, { 'shop/nightly': every(4) }),
    deploy('billing1', {
      app: 'billing',
      roles: { api: { nightly: every(4, { id: 'night', previousIds: ['nightly'] }) } },
      options: { previousApps: ['shop'] },
    }),
    during(4, { 'billing/nightly': every(4, { id: 'night' }) }),
    refused('shop2', { app: 'shop', roles: { api: { nightly: every(4), orders: every(6) } } }, taken),
    stop('shop1'),
    during(4, { 'billing/nightly': every(4, { id: 'night' }) }),
    stored('nightly', null),
  ),
  scenario(
    'one app keeps its record for a minute, the other one for a year: that holds for both',
    deploy('shop1', { ...shop, options: { keepLedger: '365d' } }),
    deploy('billing1', { ...billing, options: { keepLedger: '1m' } }),
    during(12, bothCrons),
    later(15),
    during(4, bothCrons),
  ),
];
