// sql/schema.sql is what `pcw db migrate` makes, and `pcw db status` tells what is pending.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Postgres, run } from './harness.mjs';
import { dumpSchema } from './schema_dump.mjs';

const ROOT = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
let postgres;

before(async () => {
  postgres = await Postgres.start();
});
after(() => postgres.stop());

const settings = (database) => ({ PCW_DATABASE_URL: postgres.url(database), PCW_HOME: postgres.dir });

test('sql/schema.sql is the schema of a migrated database', async () => {
  const database = await postgres.createDatabase();
  const committed = readFileSync(path.join(ROOT, 'sql/schema.sql'), 'utf8');
  assert.equal(dumpSchema(postgres, database), committed, 'run scripts/make-schema and commit what it writes');
});

test('an empty database has migrations and functions pending, and both are applied once', async () => {
  postgres.sql('CREATE DATABASE empty');
  const pending = await run(['db', 'status', '-o', 'json'], settings('empty'));
  assert.equal(pending.code, 1, pending.stderr);
  const states = JSON.parse(pending.stdout);
  assert.ok(states.every(({ state, applied_at }) => state === 'pending' && applied_at === null));
  assert.ok(states.some(({ name }) => name === 'functions/quota'));

  const migrated = await run(['db', 'migrate'], settings('empty'));
  assert.equal(migrated.code, 0, migrated.stderr);
  assert.match(migrated.stdout, /^\d+ migrations applied; \d+ files of functions applied; the schema is up to date$/m);
  assert.equal((await run(['db', 'status'], settings('empty'))).code, 0);
  assert.match((await run(['db', 'migrate'], settings('empty'))).stdout, /^the schema is up to date$/m);
});

test('a file of functions that the database lacks is pending alone; one of a newer pcw is not', async () => {
  const database = await postgres.createDatabase();
  postgres.sql(`DELETE FROM pcw_functions WHERE name = 'jobs'; UPDATE pcw_functions SET version = 999 WHERE name = 'dlq'`, database);
  const status = await run(['db', 'status', '-o', 'json'], settings(database));
  assert.equal(status.code, 1, status.stderr);
  const states = new Map(JSON.parse(status.stdout).map(({ name, state }) => [name, state]));
  assert.deepEqual([...states].filter(([, state]) => state !== 'applied'), [['functions/dlq', 'newer'], ['functions/jobs', 'pending']]);

  const refused = await run(['runs', 'list'], settings(database));
  assert.equal(refused.code, 78, refused.stderr);
  assert.match(refused.stderr, /lacks functions of this pcw \(jobs\): run `pcw db migrate`/);

  const migrated = await run(['db', 'migrate'], settings(database));
  assert.match(migrated.stdout, /^1 files of functions applied; the schema is up to date$/m);
  assert.equal((await run(['runs', 'list'], settings(database))).code, 0);
  assert.equal(postgres.sql(`SELECT version FROM pcw_functions WHERE name = 'dlq'`, database), '999');
});
