// Which transaction of which connection it is: the same twice exactly if there is one that goes on between the two.
export const identifyTransactionSql = `select pg_backend_pid() || ' ' || extract(epoch from now()) as value`;
