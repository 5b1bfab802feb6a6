import { about as usual, open as openUsual } from './chronis.mjs';

export const about = {
  ...usual,
  name: 'chronis-traced',
  keeps: 'a ledger row per run; ChronisTracingModule, without an SDK',
};

/** Ours with the module of traces, in an application that has no SDK of OpenTelemetry. */
export const open = (options) => openUsual({ ...options, traced: true });
