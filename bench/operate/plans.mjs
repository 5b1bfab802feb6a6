// How the server carries out what the API has sent.
import pg from 'pg';

/** Tables with fewer rows than this are rightly read as a whole. */
const largeFrom = 10_000;
const isAboutRows = /^\s*(select|with)\b/i;

export class Plans {
  #client;
  #large = new Set();
  /** `{ route, path, table }` each. */
  scans = [];
  statements = 0;

  static async open(url) {
    const plans = new Plans();
    plans.#client = new pg.Client({ connectionString: url });
    await plans.#client.connect();
    const { rows } = await plans.#client.query(
      `select relname as name from pg_class c where relnamespace = 'chronis'::regnamespace and relkind = 'r' and reltuples >= ${largeFrom}`,
    );
    plans.#large = new Set(rows.map(({ name }) => name));
    return plans;
  }

  /** Looks at the plans of what a request has sent. */
  async look(request, sent) {
    for (const { text, values } of sent.filter(({ text }) => isAboutRows.test(text))) {
      this.statements++;
      const { rows } = await this.#client.query(`explain (format json) ${text}`, values);
      for (const table of scanned(rows[0]['QUERY PLAN'][0].Plan))
        if (this.#large.has(table)) this.scans.push({ ...request, table });
    }
  }

  close() {
    return this.#client.end();
  }
}

function scanned(node) {
  // Known not to be carried out at all, as where only recurring jobs are asked for.
  if (node['One-Time Filter'] === 'false') return [];
  const own = node['Node Type'] === 'Seq Scan' ? [node['Relation Name']] : [];
  return [...own, ...(node.Plans ?? []).flatMap(scanned)];
}
