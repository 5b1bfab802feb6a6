// The door `nestjs-chronis/sqlite`: storage and lock in a SQLite database, without a server.
export { sqliteStorage, type SqliteStorageOptions } from './sqlite.recipes.js';
export type { SqliteDriver } from './sqlite.driver.js';
