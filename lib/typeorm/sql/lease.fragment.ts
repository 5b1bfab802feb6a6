import { leaseToleranceMs } from '../../model/leases.js';
import { after, now } from './time.fragment.js';

/** Where the lease of this worker ends if it is renewed now; null: of releases before schema version 3. */
export const fullLease = (w: string): string => after(now, `${w}.lease_ms`);

/** Whether its lease was renewed while the clock was ahead. */
export const isTooLong = (w: string): string =>
  `(${w}.lease_until > ${after(now, `(${w}.lease_ms + ${leaseToleranceMs})`)}) is true`;

/** How its `reached` changes where its lease does. */
export const reachedBefore = (w: string): string =>
  `case when ${isTooLong(w)} then greatest(${w}.reached, ${w}.lease_until) else ${w}.reached end`;
