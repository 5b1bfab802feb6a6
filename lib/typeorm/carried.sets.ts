import {
  appear,
  releasesKept,
  type CarriedDeclaration,
  type CarriedSet,
  type EpochMs,
  type SyncRequest,
} from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';

interface CarriedRow {
  last_place: number;
  /** null: nothing is carried, and the row tells no more than the last place. */
  generation: number | null;
  set_hash: string;
  place: number | null;
  declared: string[];
  declarations: CarriedDeclaration[] | null;
  carried_until: EpochMs | null;
}

/** Of an app that has many, the rest goes with the next ones. */
const mostForgotten = 1_000;

/** Generations of a release that kept no declarations are older than any set with a place. */
const beforeAllPlaces = -(2 ** 31);

/** The set of a request, noted, among all that are carried, or were within the grace. */
export interface NotedSet {
  /** 0: nobody carries it, so it is not noted. */
  generation: number;
  carried: CarriedSet[];
  /** Which of them are live, in one text: what is planned is planned beside these. */
  beside: string;
}

/** Notes the set of a request, which appears unless a worker carries it, or did within the grace. */
export async function noteSet(run: Run, request: SyncRequest): Promise<NotedSet> {
  const { app, setHash, declarations, graceMs, workerId } = request;
  const rows = await run<CarriedRow>('carriedSets', app, graceMs, workerId);
  const others = rows.filter((row) => row.generation !== null);
  if (workerId === null) return { generation: 0, carried: others.map(toCarriedSet), beside: '' };
  const own = others.find((row) => row.set_hash === setHash && row.declarations !== null);
  const sets = others.filter((row) => row.set_hash !== setHash).map(toCarriedSet);
  const live = others.filter((row) => row.set_hash !== setHash && row.carried_until === null);
  if (own) {
    const carried = [...sets, { ...toCarriedSet(own), carriedUntil: null }];
    return { generation: own.generation!, carried, beside: signatureOf([...live, own]) };
  }
  const place = rows[0].last_place + 1;
  const appeared = appear(declarations, sets, place);
  const keys = declarations.map(({ namespace, id }) => `${namespace}/${id}`);
  const [{ generation }] = await run<{ generation: number }>(
    'noteRelease',
    app,
    setHash,
    keys,
    JSON.stringify(appeared),
    place,
  );
  await run('forgetReleases', app, releasesKept, mostForgotten);
  const carried = [...sets, { place, declarations: appeared, carriedUntil: null }];
  return { generation, carried, beside: signatureOf([...live, { generation, place }]) };
}

/** As `signatureOf` of the statements has it. */
function signatureOf(rows: readonly Pick<CarriedRow, 'generation' | 'place'>[]): string {
  return rows
    .toSorted((a, b) => a.generation! - b.generation!)
    .map(({ generation, place }) => `${generation}:${place ?? 0}`)
    .join();
}

function toCarriedSet({ generation, place, declared, declarations, carried_until }: CarriedRow): CarriedSet {
  const old = beforeAllPlaces + generation!;
  return {
    place: place ?? old,
    carriedUntil: carried_until,
    declarations: declarations ?? declared.map((key) => unknownDeclaration(key, old)),
  };
}

/** What is known of a job whose release kept just its id. */
function unknownDeclaration(key: string, place: number): CarriedDeclaration {
  const slash = key.indexOf('/');
  const ref = { namespace: key.slice(0, slash), id: key.slice(slash + 1) };
  return { ...ref, hash: '', handler: null, previousIds: [], place };
}
