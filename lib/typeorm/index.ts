// The door `nestjs-chronis/typeorm`: storage and lock in PostgreSQL.
export { typeOrmLock, typeOrmStorage } from './typeorm.recipes.js';
export { chronisEntities, type ChronisEntities } from './entities.js';
export * from './entity.rows.js';
export { migrationSql, schemaVersion } from './migration.steps.js';
export { schemaState, type SchemaState } from './schema.state.js';
export type {
  MigrationMode,
  PostgresOptions,
  TableOptions,
  TypeOrmAdapterOptions,
  TypeOrmServer,
  TypeOrmStorageOptions,
} from './typeorm.options.js';
export { diagnose } from './doctor/diagnose.js';
export type {
  DiagnoseOptions,
  Diagnosis,
  Finding,
  FindingSeverity,
  Repair,
  Unchecked,
} from './doctor/diagnosis.js';
export type { FindingCode } from './doctor/finding.codes.js';
