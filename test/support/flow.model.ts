import type { FlowStepState, JsonValue, NewFlowStep, StepEnd, StepVerdict } from '../../lib/index.js';

interface ModelStep {
  definition: NewFlowStep;
  addedBy: string | null;
  state: FlowStepState;
  result: JsonValue;
  instances: ModelStep[];
  /** It has been released once. */
  begun: boolean;
}

export interface ModelEnd {
  key: string;
  verdict: StepVerdict;
  result?: JsonValue;
  grows?: Pick<StepEnd, 'added' | 'joined'>;
}

/**
 * What a graph of steps comes to, worked out from nothing but how its steps have ended: without counters, runs or a clock, and looking at every step each time. Slow, and too simple to have the
 * mistakes of a storage.
 */
export class FlowModel {
  readonly steps = new Map<string, ModelStep>();
  verdict: 'succeeded' | 'failed' | 'cancelled' | null = null;
  /** It was cancelled: nothing begins any more. */
  private isEnding = false;

  constructor(definitions: readonly NewFlowStep[]) {
    this.add(definitions, null);
    this.settle([]);
  }

  /** Ends that are told by one call. */
  settle(ends: readonly ModelEnd[]): void {
    for (const { key, verdict, grows } of ends) {
      if (verdict !== 'succeeded' && verdict !== 'skipped') continue;
      if (!this.isEnding) this.grow(grows ?? {}, key.split('.')[0]);
    }
    for (const { key, verdict, result = null } of ends) {
      const step = this.at(key);
      step.state = verdict;
      step.result = verdict === 'succeeded' ? result : null;
    }
    for (let decided = this.decide(); decided.length > 0; decided = this.decide()) {
      for (const apply of decided) apply();
    }
    const plain = [...this.steps.values()];
    if (this.verdict !== null || plain.some(({ state }) => state === 'released')) return;
    const verdict = plain.every(isWell) ? 'succeeded' : 'failed';
    this.verdict = this.isEnding ? 'cancelled' : verdict;
  }

  /** Its run is cancelled, and with it, at once, the steps of these keys. It ends with the others. */
  cancel(ended: readonly string[]): void {
    this.isEnding = true;
    for (const step of this.steps.values()) if (step.state === 'waiting') step.state = 'cancelled';
    this.settle(ended.map((key) => ({ key, verdict: 'cancelled' })));
  }

  /** What a retry from the failed steps never runs again, by `load` or `load.3`. */
  wellEnded(): Set<string> {
    return new Set(Object.keys(this.states()).filter((key) => isDone(this.at(key))));
  }

  /** A retry of all that has not ended well: nothing else runs again. */
  retry(): void {
    const bad = [...this.steps.values()].filter((step) => step.state !== 'waiting' && !isDone(step));
    const atOnce = bad.filter((step) => step.begun && this.parentsOf(step).every(isDone));
    this.verdict = null;
    for (const step of bad) {
      for (const each of [step, ...step.instances.filter((instance) => !isDone(instance))])
        Object.assign(each, { state: 'waiting', result: null });
    }
    for (const step of atOnce) this.release(step)();
    this.settle([]);
  }

  /** By `load` or `load.3`. */
  states(): Record<string, FlowStepState> {
    const entries: [string, FlowStepState][] = [];
    for (const [name, { state, instances }] of this.steps) {
      entries.push([name, state === 'waiting' && this.verdict !== null ? 'blocked' : state]);
      for (const [nth, instance] of instances.entries()) entries.push([`${name}.${nth}`, instance.state]);
    }
    return Object.fromEntries(entries);
  }

  at(key: string): ModelStep {
    const [name, nth] = key.split('.');
    const step = this.steps.get(name)!;
    return nth === undefined ? step : step.instances[Number(nth)];
  }

  parentsOf({ definition }: ModelStep): ModelStep[] {
    return definition.after.map(({ parent }) => this.steps.get(parent)!);
  }

  /** Of a map the list of its instances' results. */
  resultOf({ instances, result }: ModelStep): JsonValue {
    return instances.length === 0 ? result : instances.map((each) => each.result);
  }

  /** Of the run, when all has succeeded. */
  result(): JsonValue {
    const parents = new Set(
      [...this.steps.values()].flatMap(({ definition }) => definition.after.map(({ parent }) => parent)),
    );
    const leaves = [...this.steps].filter(([name]) => !parents.has(name));
    return Object.fromEntries(leaves.map(([name, step]) => [name, this.resultOf(step)]));
  }

  private add(definitions: readonly NewFlowStep[], addedBy: string | null): void {
    for (const definition of definitions) {
      const own = { ...definition, after: [...definition.after] };
      this.steps.set(definition.name, {
        definition: own,
        addedBy,
        state: 'waiting',
        result: null,
        instances: [],
        begun: false,
      });
    }
  }

  private grow({ added = [], joined = [] }: Pick<StepEnd, 'added' | 'joined'>, by: string): void {
    this.add(added, by);
    for (const { parent, child, data } of joined) {
      const { definition } = this.steps.get(child)!;
      if (definition.after.some((edge) => edge.parent === parent)) continue;
      definition.after = [...definition.after, { parent, data }];
      definition.need++;
    }
  }

  /** What becomes of steps as all of them are now. */
  private decide(): (() => void)[] {
    return [...this.steps.values()].flatMap((step) => {
      if (step.state === 'released' && step.instances.length > 0 && step.instances.every(hasEnded))
        return [() => void (step.state = step.instances.every(isWell) ? 'succeeded' : 'failed')];
      if (step.state !== 'waiting' || this.verdict !== null || this.isEnding) return [];
      const parents = this.parentsOf(step);
      const { otherwise } = step.definition;
      const taken = parents.filter(({ state }) => state !== 'skipped');
      if (parents.length > 0 && taken.length === 0) return [() => void (step.state = 'skipped')];
      const need = Math.min(step.definition.need, taken.length);
      const well = taken.filter(isWell).length;
      if (well >= need || (otherwise === 'run' && parents.every(hasEnded))) return [this.release(step)];
      const mayBeWell = taken.filter((parent) => isWell(parent) || !hasEnded(parent)).length;
      return mayBeWell < need && otherwise === 'cancel' ? [() => void (step.state = 'cancelled')] : [];
    });
  }

  private begin(step: ModelStep): void {
    step.begun = true;
    for (const each of [step, ...step.instances]) if (each.state === 'waiting') each.state = 'released';
  }

  private release(step: ModelStep): () => void {
    const { map, after } = step.definition;
    if (!map || step.begun) return () => this.begin(step);
    const list = this.steps.get(after.find(({ data }) => data)!.parent)!;
    const items = hasEnded(list) ? this.resultOf(list) : null;
    if (list.state === 'skipped') return () => void (step.state = 'skipped');
    if (!Array.isArray(items)) return () => void (step.state = 'failed');
    if (items.length === 0) return () => void (step.state = 'skipped');
    return () => {
      this.begin(step);
      step.instances = items.map(() => ({ ...step, instances: [] }));
    };
  }
}

function hasEnded({ state }: ModelStep): boolean {
  return state !== 'waiting' && state !== 'released';
}

function isWell(step: ModelStep): boolean {
  const { state, definition } = step;
  return state === 'succeeded' || state === 'skipped' || (definition.allowFailure && hasEnded(step));
}

/** For a retry: what was cancelled before it had begun has not ended well, though it may fail. */
function isDone(step: ModelStep): boolean {
  return isWell(step) && (step.state !== 'cancelled' || step.begun);
}
