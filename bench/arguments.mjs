// What `npm run bench -- …` understands.
import { parseArgs } from 'node:util';

export const suiteNames = ['drain', 'recurring', 'minute', 'midnight', 'lag', 'create', 'idle', 'growth', 'running', 'bloat', 'instances', 'start', 'schedule', 'catchup', 'flow'];
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
    rounds: roundsOf(values.rounds),
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
function roundsOf(text) {
  if (text === undefined) return null;
  const rounds = Number(text);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || rounds > 1_000) {
    throw new Error(`--rounds takes a whole number from 1 to 1000, not "${text}".`);
  }
  return rounds;
}

function listOf(text) {
  return (text ?? '').split(',').flatMap((item) => item.trim() || []);
}
