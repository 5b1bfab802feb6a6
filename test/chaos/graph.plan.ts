import type { SeededRandom } from '../simulation/seeded.random.js';

/** What the code of a step is told. A type, as an interface is no JSON. */
export type StepOrder = {
  /** How it ends. `flaky`: its first attempt fails. */
  ends: 'well' | 'badly' | 'skipped' | 'flaky';
  /** Whose results it adds up; null: it returns `base` alone, as it does not wait for all. */
  parents: string[] | null;
  base: number;
  /** A list to be mapped, which it returns in place of a number; null: none. */
  list: Item[] | null;
};

export type Item = {
  value: number;
  ends: 'well' | 'badly';
};

/** A step as a definition has it. */
export interface PlannedStep {
  name: string;
  handler: 'number' | 'item';
  after: (string | { step: string; order: true })[];
  need: 'all' | 'any' | number;
  otherwise: 'block' | 'cancel' | 'run';
  allowFailure: boolean;
  map: boolean;
  payload?: StepOrder;
}

export interface Expected {
  state: 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'blocked';
  /** Of a map what its instances return, null where they fail. */
  result: unknown;
}

export interface Graph {
  steps: PlannedStep[];
  expected: Map<string, Expected>;
  verdict: 'succeeded' | 'failed';
}

const fewestSteps = 5;
const mostParents = 4;
const mostItems = 6;

/** A graph, and what has to come of it, whoever runs its steps in whatever order. */
export function randomGraph(random: SeededRandom, mostSteps: number): Graph {
  const steps: PlannedStep[] = [];
  const expected = new Map<string, Expected>();
  const size = random.between(fewestSteps, mostSteps);
  for (let nth = 0; nth < size; nth++) {
    const name = `s${nth}`;
    const step = random.chance(0.15) ? mapStep(random, name, steps) : null;
    const planned = step ?? numberStep(random, name, nth, steps, expected);
    steps.push(planned);
    expected.set(name, outcomeOf(planned, steps, expected));
  }
  const isGood = steps.every((step) => endsWell(step, expected.get(step.name)!));
  return { steps, expected, verdict: isGood ? 'succeeded' : 'failed' };
}

/** null: there is no list to be mapped. */
function mapStep(random: SeededRandom, name: string, steps: readonly PlannedStep[]): PlannedStep | null {
  const lists = steps.filter(({ payload, map }) => map || payload?.list);
  if (lists.length === 0) return null;
  const source = random.pick(lists).name;
  const other = random.pick(steps).name;
  const after = other === source ? [source] : [source, { step: other, order: true as const }];
  return { ...policies(random), name, handler: 'item', after, need: 'all', map: true };
}

function numberStep(
  random: SeededRandom,
  name: string,
  nth: number,
  steps: readonly PlannedStep[],
  expected: ReadonlyMap<string, Expected>,
): PlannedStep {
  const count = nth === 0 ? 0 : random.between(0, Math.min(mostParents, nth));
  const parents = [...new Set(Array.from({ length: count }, () => random.pick(steps).name))];
  // Which of its parents a step that does not need all has waited for depends on who was quicker: whether all were skipped must not.
  const mayChoose =
    parents.length > 1 && parents.every((parent) => expected.get(parent)!.state !== 'skipped');
  const need = mayChoose && random.chance(0.3) ? random.pick(['any', parents.length - 1] as const) : 'all';
  const ends = random.pick(['well', 'well', 'well', 'well', 'well', 'flaky', 'badly', 'skipped'] as const);
  const list = random.chance(0.2)
    ? Array.from({ length: random.between(0, mostItems) }, (_, item) => ({
        value: nth + item,
        ends: random.chance(0.1) ? ('badly' as const) : ('well' as const),
      }))
    : null;
  const payload = { ends, parents: need === 'all' ? parents : null, base: nth, list };
  return { ...policies(random), name, handler: 'number', after: parents, need, map: false, payload };
}

function policies(random: SeededRandom): Pick<PlannedStep, 'otherwise' | 'allowFailure'> {
  return {
    otherwise: random.pick(['block', 'cancel', 'run', 'run'] as const),
    allowFailure: random.chance(0.3),
  };
}

function outcomeOf(
  step: PlannedStep,
  steps: readonly PlannedStep[],
  expected: ReadonlyMap<string, Expected>,
): Expected {
  const parents = step.after.map((edge) => (typeof edge === 'string' ? edge : edge.step));
  const states = parents.map((parent) => expected.get(parent)!.state);
  const good = parents.filter((name) =>
    endsWell(
      steps.find((each) => each.name === name)!,
      expected.get(name)!,
    ),
  );
  const blocked = states.filter((state) => state === 'blocked').length;
  const bad = parents.length - good.length - blocked;
  const need = step.need === 'all' ? parents.length : step.need === 'any' ? 1 : step.need;
  const nothing = (state: Expected['state']): Expected => ({ state, result: null });
  if (good.length < need) {
    const canStill = parents.length - bad >= need;
    if (canStill || step.otherwise === 'block') return nothing('blocked');
    if (step.otherwise === 'cancel') return nothing('cancelled');
    if (blocked > 0) return nothing('blocked');
  }
  if (parents.length > 0 && states.every((state) => state === 'skipped')) return nothing('skipped');
  return step.map ? mapOutcome(step, expected.get(parents[0]!)!) : numberOutcome(step.payload!, expected);
}

/** An instance that may fail has ended well, so its map has as well; what it lacks is null. */
function mapOutcome({ allowFailure }: PlannedStep, { state, result }: Expected): Expected {
  if (state === 'skipped') return { state, result: null };
  // A map that has failed gives what its instances have.
  if (!Array.isArray(result)) return { state: 'failed', result: null };
  if (result.length === 0) return { state: 'skipped', result: null };
  const results = (result as (Item | number | null)[]).map(itemResult);
  return { state: results.includes(null) && !allowFailure ? 'failed' : 'succeeded', result: results };
}

/** null: it fails. */
export function itemResult(item: Item | number | null): number | null {
  if (item === null) return null;
  if (typeof item === 'number') return item * 2;
  return item.ends === 'badly' ? null : item.value * 2;
}

function numberOutcome(order: StepOrder, expected: ReadonlyMap<string, Expected>): Expected {
  const { ends, parents } = order;
  if (ends === 'badly') return { state: 'failed', result: null };
  if (ends === 'skipped') return { state: 'skipped', result: null };
  const results = (parents ?? []).flatMap((name) => {
    const { state, result } = expected.get(name)!;
    return state === 'succeeded' ? [result] : [];
  });
  return { state: 'succeeded', result: numberResult(order, results) };
}

/** What a step returns whose parents have returned these. */
export function numberResult({ base, list }: StepOrder, results: readonly unknown[]): unknown {
  const sum = (base + results.reduce<number>((total, each) => total + worth(each), 0)) % 1_000_003;
  return list === null ? sum : list.map((item) => ({ ...item, value: item.value + sum }));
}

function worth(result: unknown): number {
  if (Array.isArray(result)) return result.reduce<number>((total, each) => total + worth(each), 0);
  return typeof result === 'number' ? result : ((result as Item | null)?.value ?? 0);
}

function endsWell({ allowFailure }: PlannedStep, { state }: Expected): boolean {
  if (state === 'blocked') return false;
  return allowFailure || state === 'succeeded' || state === 'skipped';
}
