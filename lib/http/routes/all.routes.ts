import { openApiOf } from '../openapi.js';
import type { Route } from '../route.js';
import { anyObject } from '../schema.js';
import { bulkRoutes } from './bulk.routes.js';
import { jobActionRoutes } from './job.action.routes.js';
import { jobRoutes } from './job.routes.js';
import { recordRoutes } from './record.routes.js';
import { runRoutes } from './run.routes.js';
import { scheduleRoutes } from './schedule.routes.js';
import { scopeRoutes } from './scope.routes.js';
import { workflowRoutes } from './workflow.routes.js';

/** All that the API can do. */
export const allRoutes: readonly Route[] = [
  ...jobRoutes,
  ...jobActionRoutes,
  ...scheduleRoutes,
  ...recordRoutes,
  ...runRoutes,
  ...scopeRoutes,
  ...workflowRoutes,
  ...bulkRoutes,
  {
    name: 'getDocument',
    method: 'GET',
    path: 'openapi.json',
    needs: 'read',
    summary: 'All of this as an OpenAPI document.',
    isOfProcess: true,
    status: 200,
    answer: anyObject,
    handle: () => ({ body: openApiOf(allRoutes) }),
  },
];
