import type { Route } from '../route.js';
import { jobRoutes } from './job.routes.js';
import { recordRoutes } from './record.routes.js';
import { runRoutes } from './run.routes.js';
import { scopeRoutes } from './scope.routes.js';
import { workflowRoutes } from './workflow.routes.js';

/** All that the API can do. */
export const allRoutes: readonly Route[] = [
  ...jobRoutes,
  ...recordRoutes,
  ...runRoutes,
  ...scopeRoutes,
  ...workflowRoutes,
];
