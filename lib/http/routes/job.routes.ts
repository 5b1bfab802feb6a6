import { InvalidOptionError, type Job } from '../../index.js';
import type { Answer, Call, Route } from '../route.js';
import {
  anyObject,
  count,
  described,
  flag,
  givenInstant,
  input,
  listOf,
  object,
  oneOf,
  pageOf,
  text,
} from '../schema.js';
import { asStored } from '../stored.json.js';
import { jobIn, namespace, namespaceIn, note, ofJob, pageAnswer, pageIn, paging } from './common.js';
import { answered, theJob } from './job.answer.js';
import { createJob } from './job.creation.js';
import {
  job,
  jobChanges,
  jobFields,
  jobState,
  listedJob,
  newJob,
  pausedBy,
  triggerType,
} from './job.schemas.js';

const conditions = {
  namespace,
  state: listOf(jobState),
  pausedBy: listOf(pausedBy),
  handler: listOf(text),
  queue: listOf(text),
  triggerType: listOf(triggerType),
  source: oneOf('code', 'api'),
  app: text,
  q: described(text, 'What the id begins with.'),
  nextBefore: givenInstant,
  metadata: described(
    anyObject,
    'JSON that must be in the metadata; or one text by its path: metadata.tenant_id=acme.',
  ),
};

async function listJobs(call: Call): Promise<Answer> {
  const { fields, total, orderBy, q, limit: _, cursor: __, ...others } = call.query;
  const shown = fieldsOf(fields as string | undefined);
  const filter = { ...others, ...(q !== undefined && { idPrefix: String(q) }) };
  const page = await call.scheduler.queryJobs({
    ...filter,
    ...pageIn(call),
    ...(orderBy !== undefined && { orderBy }),
  });
  const items = page.items.map((item) =>
    Object.fromEntries(shown.map((field) => [field, item[field as keyof Job]])),
  );
  const counted =
    total === true ? { total: { value: await call.scheduler.countJobs(filter), relation: 'eq' } } : {};
  return pageAnswer({ items, cursor: page.cursor }, counted);
}

/** Which fields of jobs are wanted. Throws InvalidOptionError. */
function fieldsOf(wanted: string | undefined): readonly string[] {
  if (wanted === undefined) return jobFields;
  const names = wanted.split(',').map((name) => name.trim());
  const stray = names.find((name) => !jobFields.includes(name));
  if (stray === undefined) return names;
  throw new InvalidOptionError(
    'fields',
    `has ${JSON.stringify(stray)}. There are: ${jobFields.join(', ')}. A job by itself has its payload as well.`,
  );
}

async function getJob(call: Call): Promise<Answer> {
  const found = await theJob(call);
  const text = await call.storage.storedText?.job(found);
  const { body, headers } = answered(found);
  // What somebody has changed meanwhile belongs to another revision.
  if (!text || text.revision !== found.revision) return { body, headers };
  const { payload, metadata } = found;
  const stored = { payload: asStored(payload, text.payload), metadata: asStored(metadata, text.metadata) };
  return { body: { ...found, ...stored }, headers };
}

async function updateJob(call: Call): Promise<Answer> {
  const { note: _, ...changes } = call.body;
  const { expectedRevision, by } = call;
  return answered(
    await call.scheduler.updateJob(jobIn(call), changes as never, {
      ...namespaceIn(call),
      ...(expectedRevision !== null && { expectedRevision }),
      ...(by !== null && { by }),
    }),
  );
}

const one = 'jobs/:id';
const noted = input({ note });

export const jobRoutes: readonly Route[] = [
  {
    name: 'listJobs',
    method: 'GET',
    path: 'jobs',
    needs: 'read',
    summary: 'Jobs that meet all conditions, without their payloads.',
    parameters: {
      ...conditions,
      ...paging,
      orderBy: oneOf('id', 'nextRunAt'),
      fields: described(text, 'Which fields are wanted, with commas between them.'),
      total: described(flag, 'Whether to count all that meet the conditions.'),
    },
    status: 200,
    answer: pageOf(listedJob, { total: object({ value: count, relation: oneOf('eq', 'gte') }) }, ['total']),
    handle: listJobs,
  },
  {
    name: 'createJob',
    method: 'POST',
    path: 'jobs',
    needs: 'create',
    summary: 'Creates a job.',
    body: newJob,
    takesKey: true,
    status: 201,
    answer: job,
    handle: async (call) => answered(await createJob(call)),
  },
  {
    name: 'getJob',
    method: 'GET',
    path: one,
    needs: 'read',
    summary: 'One job. Its ETag is its revision.',
    parameters: ofJob,
    status: 200,
    answer: job,
    handle: getJob,
  },
  {
    name: 'updateJob',
    method: 'PATCH',
    path: one,
    needs: 'update',
    summary: 'Changes what is given, and leaves the rest; with If-Match only if nobody else has changed it.',
    parameters: ofJob,
    body: jobChanges,
    takesRevision: true,
    status: 200,
    answer: job,
    handle: updateJob,
  },
  {
    name: 'deleteJob',
    method: 'DELETE',
    path: one,
    needs: 'delete',
    summary: 'Removes the job; its record stays.',
    parameters: ofJob,
    body: noted,
    status: 204,
    handle: async (call) => {
      await call.scheduler.deleteJob(jobIn(call), namespaceIn(call));
      return {};
    },
  },
];
