// The schema of a migrated database as text that says the same wherever it is made: sql/schema.sql.
import { execFileSync } from 'node:child_process';

const HEADING = `-- The schema as \`pcw db migrate\` leaves it: made by scripts/make-schema, compared by tests/e2e/schema.test.mjs. Not applied by anything;
-- what is applied are sql/migrations and sql/functions.
`;

/** pg_dump's schema of a database, without what differs from one server, login or release of pg_dump to the next. */
export function dumpSchema(postgres, database) {
  const dump = execFileSync('pg_dump', ['--schema-only', '--no-owner', '-d', postgres.url(database)],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = dump.split('\n').filter((line) => !/^(--|\\(un)?restrict |SET |SELECT pg_catalog\.set_config)/.test(line));
  return `${HEADING}\n${lines.join('\n').replace(/\n{3,}/g, '\n\n').trim()}\n`;
}
