import { InvalidOptionError, StepResultMissingError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedStep } from '../model/run.js';
import type { FlowStep, FlowStepFilter, FlowStorage } from '../ports/flows.js';
import type { StepParent } from './step.context.js';

/** Of results that are held together, in characters of JSON. */
const mostTogether = 8_388_608;
const pageSize = 100;

/** Reads what the parents of one step have come to. Each call is one statement, or one a page. */
export class FlowReader {
  constructor(
    private readonly flows: FlowStorage,
    private readonly step: ClaimedStep,
  ) {}

  async parent(name: string): Promise<StepParent> {
    const [parent] = await this.parents([name], false);
    const { state, runId, reason } = parent!;
    const isOver = state !== 'waiting' && state !== 'released' && state !== 'blocked';
    return { name, verdict: isOver ? state : null, runId, reason };
  }

  async result(name: string): Promise<JsonValue> {
    const [parent] = await this.dataParents([name]);
    this.assertSucceeded(parent!);
    return this.whole(parent!, { left: mostTogether });
  }

  /** By their names, null where one has not succeeded. */
  async all(names: readonly string[]): Promise<Record<string, JsonValue>> {
    const budget = { left: mostTogether };
    const found = new Map<string, JsonValue>();
    const parents = names.length === 0 ? [] : await this.dataParents(names);
    for (const parent of parents) {
      if (parent.state === 'succeeded') this.assertKept(parent);
      found.set(parent.name, parent.state === 'succeeded' ? await this.whole(parent, budget) : null);
    }
    return Object.fromEntries(found);
  }

  async *items(name: string): AsyncGenerator<JsonValue, void, undefined> {
    const [parent] = await this.dataParents([name]);
    this.assertSucceeded(parent!);
    if (parent!.map) {
      yield* this.instances(name);
      return;
    }
    const { result } = parent!;
    if (!Array.isArray(result)) {
      throw new StepResultMissingError(
        this.step.name,
        name,
        'one by one, and it is no list. Use context.result().',
      );
    }
    yield* result;
  }

  private async whole(parent: FlowStep, budget: { left: number }): Promise<JsonValue> {
    if (!parent.map) {
      spend(budget, parent.name, parent.result);
      return parent.result;
    }
    const results: JsonValue[] = [];
    for await (const result of this.instances(parent.name)) {
      spend(budget, parent.name, result);
      results.push(result);
    }
    return results;
  }

  private async *instances(name: string): AsyncGenerator<JsonValue, void, undefined> {
    for await (const instance of this.read({ names: [name], instances: true, results: true })) {
      if (instance.state !== 'succeeded') continue;
      this.assertKept(instance);
      yield instance.result;
    }
  }

  private async dataParents(names: readonly string[]): Promise<FlowStep[]> {
    return this.parents(names, true);
  }

  /** In the order of the names. Throws StepResultMissingError. */
  private async parents(names: readonly string[], data: boolean): Promise<FlowStep[]> {
    const { name: own } = this.step;
    const found = new Map<string, FlowStep>();
    const wanted = { names: [own, ...names], instances: false, results: data };
    for await (const step of this.read(wanted)) found.set(step.name, step);
    const edges = found.get(own)?.after ?? [];
    return names.map((name) => {
      const edge = edges.find(({ parent }) => parent === name);
      const parent = found.get(name);
      if (edge === undefined || parent === undefined) {
        const known = edges.map((each) => `"${each.parent}"`).join(', ') || 'none';
        throw new StepResultMissingError(
          own,
          name,
          `which it does not come after. Its parents are: ${known}. Add it to "after".`,
        );
      }
      if (data && !edge.data) {
        throw new StepResultMissingError(
          own,
          name,
          'which it only waits for (order: true). Name it in "after" by its name alone.',
        );
      }
      return parent;
    });
  }

  private async *read(filter: FlowStepFilter): AsyncGenerator<FlowStep, void, undefined> {
    const { flowRunId } = this.step;
    let cursor: string | null = null;
    do {
      const page = { limit: pageSize, ...(cursor === null ? {} : { cursor }) };
      const found = await this.flows.queryFlowSteps(flowRunId, filter, page);
      if (found === null) return;
      yield* found.items;
      ({ cursor } = found);
    } while (cursor !== null);
  }

  /** Of a step that is a workflow. */
  private assertKept({ name, reason }: FlowStep): void {
    if (reason !== null)
      throw new StepResultMissingError(this.step.name, name, `and there is none. ${reason}`);
  }

  private assertSucceeded(step: FlowStep): void {
    const { name, state, reason } = step;
    if (state === 'succeeded') return this.assertKept(step);
    const why = reason === null ? '' : ` (${reason.split('\n', 1)[0]!})`;
    const is = state === 'waiting' || state === 'released' ? 'has not ended' : `is ${state}${why}`;
    throw new StepResultMissingError(
      this.step.name,
      name,
      `which ${is}, so it has none. Ask context.parent("${name}") first.`,
    );
  }
}

function spend(budget: { left: number }, name: string, result: JsonValue): void {
  budget.left -= JSON.stringify(result).length;
  if (budget.left >= 0) return;
  throw new InvalidOptionError(
    name,
    `its results and those that are read with them have more than ${mostTogether} characters as JSON. Read them one by one: for await (const result of context.results("${name}")).`,
  );
}
