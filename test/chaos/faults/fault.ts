import type { SeededRandom } from '../../simulation/seeded.random.js';
import type { Cluster } from '../cluster.js';

/** Does its harm, notes it, and resolves when it is over. */
export type Act = (cluster: Cluster, random: SeededRandom) => Promise<void>;

/** Where a fault can be done: `any`, or the world that was made for it. */
export type WorldName = 'steady' | 'failover' | 'lossy' | 'clock';

export interface Fault {
  world: WorldName | 'any';
  act: Act;
  /** Why it cannot be done on this machine; null: it can. */
  missing?: () => string | null;
}
