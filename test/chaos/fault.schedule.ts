import { SeededRandom } from '../simulation/seeded.random.js';
import { NobodyIsWell, type Cluster } from './cluster.js';
import { faults } from './faults/catalog.js';
import { pause } from './pause.js';

/** One fault after another until `endAt`, in the order that the seed says, each kind once before any comes again. Resolves when all are over. */
export async function unleash(cluster: Cluster, endAt: number): Promise<void> {
  const { seed, faults: kinds, everyMs } = cluster.options;
  const random = new SeededRandom(seed);
  const going: Promise<unknown>[] = [];
  let bag: string[] = [];
  for (;;) {
    await pause(random.between(...everyMs));
    if (Date.now() >= endAt) break;
    cluster.watchForCrashes();
    if (kinds.length === 0) continue;
    if (bag.length === 0) bag = [...kinds];
    const [kind] = bag.splice(Math.floor(random.next() * bag.length), 1);
    const fault = faults[kind!]!.act(cluster, new SeededRandom(random.between(0, 2 ** 31)));
    going.push(
      fault.catch((error: unknown) => {
        if (!(error instanceof NobodyIsWell) || cluster.crashes.length > 0) throw error;
        cluster.options.tell(`no ${kind}: all workers had something done to them`);
      }),
    );
  }
  await Promise.all(going);
  cluster.watchForCrashes();
}
