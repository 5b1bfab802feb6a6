import { failoverFaults } from './failover.faults.js';
import type { Fault } from './fault.js';
import { lockFaults } from './lock.faults.js';
import { serverFaults } from './server.faults.js';
import { workerFaults } from './worker.faults.js';

/** All that can be done to a cluster, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...workerFaults,
  ...serverFaults,
  ...lockFaults,
  ...failoverFaults,
};
