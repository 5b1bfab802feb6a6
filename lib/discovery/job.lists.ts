import { InvalidOptionError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import { refKey } from '../scheduler/job.identity.js';
import { lineOfText } from '../scheduler/option.checks.js';
import type { DeclaredJob } from './declared.job.js';
import type { ListPart } from './listed.hash.js';

/** A list of jobs outside of the code, which may change while the process runs, such as a folder of files. @publicApi */
export interface JobList {
  /** The same in all processes that read it, and another one for each list. */
  name: string;
  /** Called before the scheduler begins to work, also when it begins again: reads the list for the first time, and declares what is in it. What it throws stands in the way of the start. */
  begin(): Promise<void>;
  /** The scheduler has stopped. */
  end(): Promise<void> | void;
  /** What `health()` tells of it, a sentence each. @default nothing */
  warnings?(): readonly string[];
}

const maxName = 1_000;

interface Content {
  list: JobList;
  /** null: not read yet, so nothing is known of what is not in it. */
  jobs: readonly DeclaredJob[] | null;
  byKey: ReadonlyMap<string, DeclaredJob>;
  /** Parts of which it is not known what is in them. */
  unclear: ReadonlySet<string>;
}

/** The lists of an application, with what is in them. */
export class JobLists {
  private readonly contents = new Map<string, Content>();
  /** Ids that are somebody else's. */
  private readonly withheld = new Set<string>();

  /** Throws InvalidOptionError: there is a list of this name. */
  add(list: JobList): void {
    const name = lineOfText(list.name, 'name', maxName);
    if (this.contents.has(name))
      throw new InvalidOptionError('name', `two lists of jobs are called "${name}". Give one another name.`);
    this.contents.set(name, { list, jobs: null, byKey: new Map(), unclear: new Set() });
  }

  /** Leaves out what another list has, and returns it. */
  put(name: string, jobs: readonly DeclaredJob[], unclear: readonly string[]): JobRef[] {
    const content = this.contents.get(name)!;
    const isOfOthers = ({ definition }: DeclaredJob): boolean =>
      this.ofOthers(definition, name) !== undefined;
    content.jobs = jobs.filter((job) => !isOfOthers(job));
    content.byKey = new Map(content.jobs.map((job) => [refKey(job.definition), job]));
    content.unclear = new Set(unclear);
    return jobs.filter(isOfOthers).map(({ definition: { namespace, id } }) => ({ namespace, id }));
  }

  /** What another list than this one has under the id. */
  ofOthers(ref: JobRef, name: string): DeclaredJob | undefined {
    const key = refKey(ref);
    for (const [other, { byKey }] of this.contents) {
      if (other !== name && byKey.has(key)) return byKey.get(key);
    }
    return undefined;
  }

  /** Whether there is one of this name, read or not. */
  has(name: string): boolean {
    return this.contents.has(name);
  }

  get areNone(): boolean {
    return this.contents.size === 0;
  }

  /** Whether one was read. */
  get areKnown(): boolean {
    return [...this.contents.values()].some(({ jobs }) => jobs !== null);
  }

  /** All that they declare. */
  get jobs(): DeclaredJob[] {
    const all = [...this.contents.values()].flatMap(({ jobs }) => jobs ?? []);
    return all.filter(({ definition }) => !this.withheld.has(refKey(definition)));
  }

  /** Whether a stored job of this part would be known to be in the list. */
  knows({ list, part }: ListPart): boolean {
    const content = this.contents.get(list);
    return content !== undefined && content.jobs !== null && !content.unclear.has(part);
  }

  /** Leaves these out until `restore`: a start is not refused for a list. False: none of them is of a list. */
  withhold(refs: readonly JobRef[]): boolean {
    const own = new Set(this.jobs.map(({ definition }) => refKey(definition)));
    const keys = refs.map(refKey).filter((key) => own.has(key));
    for (const key of keys) this.withheld.add(key);
    return keys.length > 0;
  }

  /** False: nothing was left out. */
  restore(): boolean {
    const { size } = this.withheld;
    this.withheld.clear();
    return size > 0;
  }

  async begin(): Promise<void> {
    // One after the other: where two have an id, the second one knows.
    for (const list of this.all()) await list.begin();
  }

  async end(): Promise<void> {
    await Promise.all(this.all().map(async (list) => list.end()));
  }

  warnings(): string[] {
    return this.all().flatMap((list) => list.warnings?.() ?? []);
  }

  private all(): JobList[] {
    return [...this.contents.values()].map(({ list }) => list);
  }
}
