// The samples and the tests start the same server.
export { startPostgres, type PostgresServer } from '../../sample/support/postgres.js';
