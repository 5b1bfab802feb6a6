import pg from 'pg';

/** Reads one number from PostgreSQL, on a connection of its own that is opened when it is first asked. */
export function counter(url, text) {
  let client = null;
  return {
    async read() {
      if (client === null) {
        client = new pg.Client({ connectionString: url });
        await client.connect();
      }
      const { rows } = await client.query(text);
      return Number(Object.values(rows[0])[0]);
    },
    close: () => client?.end(),
  };
}
