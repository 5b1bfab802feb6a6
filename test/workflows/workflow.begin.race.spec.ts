import { expect, test } from 'vitest';
import { WorkflowRunStateError, WorkflowService, workflow } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

test.each(['pause', 'resume'] as const)('%s() of a workflow that begins meanwhile holds', async (way) => {
  const app = await NestApp.boot({ chronis: { autoStart: false } });
  const workflows = app.app.get(WorkflowService);
  workflows.register(workflow('asking').manual('ask'));
  const { runId } = await workflows.start('asking');
  await expect(workflows[way](runId)).rejects.toThrow(WorkflowRunStateError);
  const { flows } = app.storage;
  const call = way === 'pause' ? 'pauseFlow' : 'resumeFlow';
  const original = flows[call].bind(flows);
  const answers: boolean[] = [];
  flows[call] = async (id) => {
    const answer = await original(id);
    answers.push(answer);
    if (answers.length === 1) {
      await app.scheduler.start();
      await app.settle();
    }
    return answer;
  };
  await workflows[way](runId);
  expect(answers).toEqual([false, true]);
  expect((await workflows.get(runId))!.state).toBe(way === 'pause' ? 'paused' : 'active');
  await app.close();
});
