import type { SeededRandom } from '../seeded.random.js';
import { roles, type Release, type Scheduled } from './release.js';

const lines = 6;
/** An id that belongs to a job that was made at run time. */
export const takenId = 'made';

/** The first release of an application. */
export function firstRelease(random: SeededRandom, app: string): Release {
  const methods = Array.from({ length: lines }, (_, nth) => newMethod(random, `${app}${nth}`));
  return { name: `${app} v1`, methods };
}

/** The next one: some methods are scheduled otherwise, renamed, moved, disabled, taken away or new. */
export function nextRelease(random: SeededRandom, last: Release, name: string): Release {
  let { methods } = last;
  for (let changes = random.between(1, 3); changes > 0; changes--) {
    const nth = random.between(0, methods.length - 1);
    const changed = change(random, methods[nth]!, name);
    methods = methods.toSpliced(nth, 1, ...changed);
    // A line that was taken away comes back, anew.
    if (methods.length < 3 || random.chance(0.2)) {
      const missing = Array.from({ length: lines }, (_, i) => `${name.split(' ')[0]}${i}`).filter(
        (line) => !methods.some((method) => method.line === line),
      );
      if (missing.length > 0) methods = [...methods, newMethod(random, random.pick(missing))];
    }
  }
  return { name, methods };
}

/** One that no process can start with: it declares an id that is somebody else's, beside what it changes. */
export function refusedRelease(random: SeededRandom, last: Release, name: string): Release {
  const { methods } = nextRelease(random, last, name);
  const culprit = { ...newMethod(random, 'culprit'), id: takenId, roles };
  return { name, methods: [...methods, culprit] };
}

function newMethod(random: SeededRandom, line: string): Scheduled {
  return {
    line,
    method: `Jobs.${methodOf(line)}`,
    id: line,
    schedule: anySchedule(random),
    options: {
      payload: 'first',
      overlap: random.pick(['allow', 'skip'] as const),
      misfire: random.pick(['skip', 'once', 'all'] as const),
    },
    previousIds: [],
    roles: anyRoles(random),
    disabled: false,
    isHandler: random.chance(0.3),
  };
}

/** All apps have methods of the same names. */
function methodOf(line: string): string {
  return `m${line.replace(/^\D+/, '')}`;
}

function anySchedule(random: SeededRandom): Scheduled['schedule'] {
  if (random.chance(0.2)) return { everyMs: random.pick([2_000, 3_000, 5_000]) };
  return { cron: random.pick(['*/2 * * * * *', '*/3 * * * * *', '1/4 * * * * *', '*/5 * * * * *']) };
}

function anyRoles(random: SeededRandom): Scheduled['roles'] {
  return random.chance(0.2) ? roles : [random.pick(roles)];
}

function change(random: SeededRandom, method: Scheduled, name: string): Scheduled[] {
  const { line, id, options } = method;
  const otherId = random.pick([line, `${line}-a`, `${line}-b`].filter((each) => each !== id));
  switch (random.between(0, 10)) {
    case 0:
    case 1:
      return [{ ...method, schedule: anySchedule(random) }];
    case 2:
      return [{ ...method, options: { ...options, payload: name } }];
    case 3:
      return [{ ...method, id: otherId, previousIds: [] }];
    case 4:
    case 5:
      return [{ ...method, id: otherId, previousIds: [id] }];
    case 6:
      return [{ ...method, roles: anyRoles(random) }];
    case 7:
      return [{ ...method, disabled: !method.disabled }];
    case 8:
      return [{ ...method, method: `Jobs.${methodOf(line)}${random.pick(['', 'x'])}` }];
    case 9:
      return [{ ...method, previousIds: [] }];
    default:
      return [];
  }
}
