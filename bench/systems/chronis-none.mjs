import { about as usual, open as openUsual } from './chronis.mjs';

const reason = 'the same as chronis';

export const about = {
  ...usual,
  name: 'chronis-none',
  keeps: "nothing (keep: 'none')",
  cannot: { recurring: reason, minute: reason, lag: reason, idle: reason, growth: reason, flow: reason },
};

/** Ours with one-offs that leave no record. */
export const open = (options) => openUsual({ ...options, keep: 'none' });
