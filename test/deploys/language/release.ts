import type { ChronisModuleOptions } from '../../../lib/index.js';
import type { Method } from './schedules.js';

/** What the one class of a role, `Jobs`, has of methods. */
export type Methods = Record<string, Method>;

/** A release of an application, as it is deployed. */
export interface Release {
  /** @default 'default' */
  app?: string;
  /** What the code of each role declares; a function where the configuration of the replicas differs, which count from 1. */
  roles: Record<string, Methods | ((replica: number) => Methods)>;
  /** Of each role. @default 1 */
  replicas?: number;
  /** Other options of the module. */
  options?: ChronisModuleOptions;
  /** By how many minutes the clocks of its machines are ahead; negative: behind. @default 0 */
  clockAheadByMinutes?: number;
}

export const defaultApp = 'default';

export function methodsOf({ roles }: Release, role: string, replica: number): Methods {
  const methods = roles[role]!;
  return typeof methods === 'function' ? methods(replica) : methods;
}
