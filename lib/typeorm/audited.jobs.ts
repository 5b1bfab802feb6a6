import {
  auditedDefinitionMethods,
  auditedFlowMethods,
  auditedMethods,
  type AuditedStore,
  type AuditNote,
  type JobStore,
  type RequestMark,
} from '../ports/storage.adapter.js';
import { recordAudit, refuseRepeated } from './auditing.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementScope } from './statement.runner.js';
import { TypeOrmFlowStore } from './typeorm.flow.store.js';

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** The same methods; each that changes something is one transaction with what `note` makes of its result, and with `once` does nothing a second time. `jobsIn`: finds them in a scope. */
export function auditedJobs(
  jobsIn: (scope: StatementScope) => JobStore,
  statements: StatementScope,
  tables: TableNames,
  note: AuditNote,
  once?: RequestMark,
): AuditedStore {
  /** `of`: finds in a scope what has the methods. */
  const recording = (names: readonly string[], of: (scope: StatementScope) => object): object => {
    const audited: Methods = {};
    for (const name of names) {
      audited[name] = (...args) =>
        statements.together(async (scope) => {
          if (once) await refuseRepeated(scope, tables, once);
          const result = await (of(scope) as Methods)[name]!(...args);
          await recordAudit(scope.run, note(result));
          return result;
        });
    }
    return Object.assign(Object.create(of(statements)) as object, audited);
  };
  const jobs = recording(auditedMethods, jobsIn);
  const flows = recording(auditedFlowMethods, (scope) => new TypeOrmFlowStore(scope, tables));
  const definitions = recording(auditedDefinitionMethods, (scope) => jobsIn(scope).definitions!);
  return Object.assign(jobs, { flows, definitions }) as AuditedStore;
}
