// What `npm run bench -- …` understands.
import { parseArgs } from 'node:util';

export const suiteNames = ['drain', 'recurring', 'minute', 'midnight', 'lag', 'create', 'idle', 'growth', 'running', 'bloat', 'instances', 'start', 'schedule', 'catchup', 'flow', 'operate'];
export const peerNames = [
  'chronis-none',
  'chronis-traced',
  'chronis-memory',
  'chronis-sqlite',
  'chronis-file',
  'graphile-worker',
  'pg-boss',
  'bullmq-postgres',
  'bullmq-redis',
  'agenda',
  'sidequest',
  'nestjs-schedule',
];

export const usage = `npm run bench -- ${suiteNames.join('|')}
  --quick          small sizes and few rounds, for a first look
  --peers a,b      only these beside chronis, or "none": ${peerNames.join(', ')}
  --rounds N       runs of each system, in turns
  --settings a,b   only the settings of the suite whose names contain one of these texts
  --jobs N         of operate: how many jobs the tables have
  --runs N         of operate: how many rows the ledger has
  --json FILE      writes the results there as well
  --url URL        this PostgreSQL, as a user that may create databases, in place of an embedded one`;

/** Throws an Error with a sentence for people. */
export function readArguments(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      settings: { type: 'string' },
      jobs: { type: 'string' },
      runs: { type: 'string' },
      json: { type: 'string' },
      url: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { help: true };
  if (positionals.length !== 1) throw new Error(`Name one suite, not ${positionals.length}.`);
  const [suite] = positionals;
  if (!suiteNames.includes(suite)) throw new Error(`There is no suite "${suite}".`);
  return {
    suite,
    quick: values.quick,
    peers: peersOf(values.peers),
    rounds: countOf('--rounds', values.rounds, 1, 1_000),
    jobs: countOf('--jobs', values.jobs, 1_000, 100_000_000),
    runs: countOf('--runs', values.runs, 10_000, 1_000_000_000),
    settings: listOf(values.settings),
    json: values.json ?? null,
    url: values.url ?? null,
  };
}

function peersOf(text) {
  if (text === undefined) return peerNames;
  if (text === 'none') return [];
  const peers = listOf(text);
  const unknown = peers.find((peer) => !peerNames.includes(peer));
  if (unknown !== undefined) throw new Error(`There is no peer "${unknown}".`);
  return peers;
}

/** null: as the suite thinks right. */
function countOf(option, text, least, most) {
  if (text === undefined) return null;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < least || count > most) {
    throw new Error(`${option} takes a whole number from ${least} to ${most}, not "${text}".`);
  }
  return count;
}

function listOf(text) {
  return (text ?? '').split(',').flatMap((item) => item.trim() || []);
}
