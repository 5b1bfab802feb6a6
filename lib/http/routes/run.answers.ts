import { RunNotFoundError } from '../../index.js';
import type { Answer, Call } from '../route.js';
import { asStored } from '../stored.json.js';

/** The newest so many attempts are told with their run; `attempts` has all. */
const mostAttempts = 200;

/** A run that is stored, or the record of one that is not any more. */
export async function getRun({ scheduler, storage, params: { runId = '' } }: Call): Promise<Answer> {
  const [runs, attempts] = await Promise.all([
    scheduler.getRuns({ runId, limit: 1 }),
    scheduler.getAttempts({ runId, limit: mostAttempts }),
  ]);
  const [stored = null] = runs.items;
  if (stored === null && attempts.items.length === 0) throw new RunNotFoundError(runId);
  const texts = (await storage.storedText?.results(runId, mostAttempts)) ?? [];
  const shown = attempts.items.map((each) => {
    const text = texts.find(({ fence, final }) => fence === each.fence && final === each.final);
    return { ...each, result: asStored(each.result, text?.result) };
  });
  return { body: { run: stored, attempts: shown } };
}

export async function getRunSteps({ scheduler, storage, params: { runId = '' } }: Call): Promise<Answer> {
  const steps = await scheduler.getRunSteps(runId);
  const texts = (await storage.storedText?.stepResults(runId)) ?? [];
  const textOf = new Map(texts.map(({ name, result }) => [name, result]));
  // Of a step that has not ended the result is none, whatever it has come to meanwhile.
  const items = steps.map((step) =>
    step.result === null ? step : { ...step, result: asStored(step.result, textOf.get(step.name)) },
  );
  return { body: { items } };
}
