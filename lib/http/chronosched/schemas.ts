import {
  count,
  described,
  flag,
  input,
  instant,
  json,
  listOf,
  nullable,
  object,
  oneOf,
  text,
} from '../schema.js';
import { note } from '../routes/common.js';

const namespace = described(text, "The name of the namespace. @default 'default'");
const delayInterval = nullable(json);

export const space = object({ id: text, name: text, description: nullable(text) });
export const newSpace = input({ name: text, description: text, note }, ['name']);

const about = {
  name: text,
  version: count,
  kind: described(text, 'The type of the task: cmd, http, binary, or one of the application.'),
  payloadTemplate: described(json, 'What the task takes; of cmd the line for the shell is "cmd".'),
  cronSpec: described(json, 'It runs again and again, as the job of its name.'),
  delayInterval: described(json, 'It is due so much later than it may be, such as "5 minutes".'),
};
export const newDefinition = input({ ...about, namespace, note }, ['name', 'kind']);
export const newDefinitions = input(
  { definitions: listOf(input(about, ['name', 'kind'])), namespace, note },
  ['definitions'],
);
const definitionFields = {
  ...about,
  id: described(text, 'Its name and version: mail@3.'),
  namespaceId: text,
  cronSpec: nullable(json),
  delayInterval,
  deleted: flag,
  createdAt: instant,
};
export const definition = object(definitionFields);
export const putDefinition = object(
  { status: oneOf('created', 'existing', 'rejected'), problem: json, ...definitionFields },
  ['problem', ...Object.keys(definitionFields)],
);

export const newDag = input({ name: text, namespace, note }, ['name']);
export const dag = object(
  {
    id: text,
    namespaceId: text,
    name: text,
    version: count,
    state: described(text, "'draft' until it begins, then as that of a workflow."),
    runId: nullable(text),
    createdAt: instant,
  },
  ['state', 'runId'],
);
export const startedDag = object({ id: text, runId: text, status: oneOf('created', 'existing') });

export const newJob = input(
  {
    defId: text,
    manual: described(flag, 'No worker executes it: it is ended by complete or fail.'),
    namespace,
    note,
  },
  ['defId'],
);
export const dagJob = object(
  {
    id: text,
    dagId: nullable(text),
    namespaceId: text,
    defId: nullable(text),
    status: text,
    manual: flag,
    delayInterval,
    runId: nullable(text),
    waitsFor: nullable(text),
    reason: nullable(text),
    finishedAt: nullable(instant),
    dueAt: nullable(instant),
    lastVerdict: nullable(text),
    lastRunAt: nullable(instant),
  },
  [
    ...['manual', 'delayInterval', 'runId', 'waitsFor', 'reason', 'finishedAt'],
    ...['dueAt', 'lastVerdict', 'lastRunAt'],
  ],
);

const edge = { parentJobId: text, childJobId: text, dependencyType: oneOf('data', 'order-only') };
const ends = ['parentJobId', 'childJobId'];
export const dependency = object(edge);
export const newDependency = input({ ...edge, namespace, note }, ends);
export const newDependencies = input({ dependencies: listOf(input(edge, ends)), namespace, note }, [
  'dependencies',
]);

export const completion = input({ result: json, namespace, note });
export const failing = input({ error: text, namespace, note });
export const retrying = input({ namespace, note });
