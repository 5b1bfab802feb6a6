// A process that counts what the ledger comes to, and is killed at one statement of its round: by itself, so that it is nowhere else.
import { RollupMaker } from '../../lib/engine/rollup.maker.js';
import type { Retention } from '../../lib/model/retention.js';
import type { StorageAdapter } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { StruckStatements, type StrikePlace } from '../support/struck.statements.js';

/** What it is to do. */
export interface RollupKillOrder {
  url: string;
  schema: string;
  retention: Retention;
  /** Null: nothing is done to it, and it tells its statements. */
  place: StrikePlace | null;
}

const { url, schema, retention, place } = JSON.parse(process.env.ORDER!) as RollupKillOrder;
const watch = new StruckStatements(
  schema,
  (_, nth) => (nth === place?.nth ? place.when : null),
  () => process.kill(process.pid, 'SIGKILL'),
);
const storage = typeOrmStorage({ url, schema }).create() as StorageAdapter;
await storage.init();
const round = { statements: [] as string[] };
const maker = new RollupMaker(storage.rollups!, retention);
await watch.within(round, () => maker.round(() => false));
process.send!(round.statements, () => process.exit());
