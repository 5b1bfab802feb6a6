import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begun last, each of them would keep one worker at it while the other has nothing left. The chaos tests need the processors, so that others that wait are between them. */
const longest = [
  'deploys/postgres',
  'typeorm/foreign.locks',
  'chaos/changes',
  'chaos/worlds.steady',
  'cluster/step.ends',
  'chaos/worlds.clock',
  'chaos/worlds.lossy',
  'chaos/worlds.failover',
  'cluster/failover',
  'cluster/blocked',
  'chaos/chaos',
  'typeorm/failover',
  'cluster/cluster',
  'typeorm/typeorm.laws',
  'simulation/simulation',
  'typeorm/nested.flows',
  'typeorm/random.flows',
  'simulation/planted',
  'journal/journaled.laws',
  'typeorm/doctor/planted',
  'sqlite/node.sqlite',
  'file/file.laws',
  'sqlite/sqlite.laws',
  'cli/service',
  'cli/process',
  'chaos/graphs',
  'chaos/functions',
  'kills/kills',
  'docs/recipes',
  'samples/own-adapter',
  'typeorm/silent.server',
  'testing/flaky.storage',
  'ports/storage.model',
];

/** The order in which the files of a project are begun; without a cache of former runs Vitest goes by their size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.spec.ts`));
      return at < 0 ? longest.length : at;
    };
    const project = (spec: TestSpecification): string =>
      `${spec.project.config.sequence.groupOrder} ${spec.project.name}`;
    return (await super.sort(files)).toSorted((a, b) =>
      project(a) === project(b) ? place(a) - place(b) : project(a) < project(b) ? -1 : 1,
    );
  }
}
