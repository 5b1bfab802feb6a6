// The door `nestjs-chronis/http`: the REST API, closed by default.
export { ChronisHttpModule } from './http.module.js';
export type { ChronisHttpAsyncOptions } from './http.module.js';
export type { ChronisHttpOptions, ChronisHttpRoute, HttpUser } from './http.options.js';
export type { HttpAccess, HttpAction } from './http.access.js';
export type { Redact } from './redaction.js';
export type { Problem } from './problem.js';
