// What PostgreSQL refuses, or would refuse, costs one record: rows that a constraint of the table's owner does not allow, foreign text
// in errors, made-up members, and columns named like words of SQL (I6, I9, I25).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, brokenRuns, lastStats, tableState, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const REINGEST = ['bronze', 'reingest', '--entity', 'opportunities'];
const COUNT = 60;
const TABLE = 'partnercentral_opportunities';

let postgres;
let sim;

before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(COUNT), '--seed', '23', '--no-quota']);
});

after(async () => {
  await sim.stop();
  await postgres.stop();
});

const own = (more = {}) => site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', ...more });
const letters = (here) => here.sql("SELECT record_key || ' ' || stage || ' ' || coalesce(error_context->>'sqlstate', error_code) FROM dead_letters WHERE state = 'open' ORDER BY 1").split('\n').filter(Boolean);
const rows = (here) => Number(here.sql(`SELECT count(*) FROM ${TABLE}`));
const json = (done) => JSON.parse(done.stdout);

/** The mapping in force, altered, as a file in a directory that the configuration names. */
function mapping(here, version, more) {
  const dir = path.join(here.dir, `mappings-${version}`);
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const file = path.join(dir, 'opportunities.yaml');
  writeFileSync(file, text.replace(/^version: .*/m, `version: ${version}`).replace('columns:\n', `columns:\n${more}`));
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = dir;
  return file;
}

test('constraints of the table\'s owner cost their rows alone: in a sync, a re-ingest, a rebuild and a replay', async () => {
  const here = await own();
  assert.equal((await here.pcw(['db', 'migrate'])).code, 0);
  const ids = (await sim.truth()).map((row) => row.id);
  here.sql(`ALTER TABLE ${TABLE} ADD CONSTRAINT not_these CHECK (pc_opportunity_id NOT IN ('${ids[3]}', '${ids[30]}'))`);
  const refused = [ids[3], ids[30]].sort().map((id) => `${id} map 23514`);

  const synced = await here.pcw(SYNC);
  assert.equal(synced.code, 3, synced.stderr);
  assert.equal(rows(here), COUNT - 2);
  assert.deepEqual(letters(here), refused);
  assert.equal(brokenRuns(here), '');
  const state = tableState(here);

  for (const more of [[], ['--rebuild']]) {
    here.sql(`TRUNCATE ${TABLE}; DELETE FROM dead_letters`);
    const again = await here.pcw([...REINGEST, ...more]);
    assert.equal(again.code, 3, again.stderr);
    assert.deepEqual(letters(here), refused);
    assert.equal(tableState(here), state);
    assert.equal(brokenRuns(here), '');
  }

  assert.equal((await here.pcw(['dlq', 'replay', '--all'])).code, 3);
  assert.deepEqual(letters(here), refused);
  here.sql(`ALTER TABLE ${TABLE} DROP CONSTRAINT not_these`);
  const replayed = await here.pcw(['dlq', 'replay', '--all']);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.deepEqual([rows(here), letters(here)], [COUNT, []]);
});

test('whatever text AWS puts into an error, the failure is stored and the good records stay', async () => {
  const here = await own();
  const ids = (await sim.truth()).map((row) => row.id).sort();
  await sim.faults([{ operation: 'GetOpportunity', kind: 'error', status: 400, body: 'foreign', identifier: [ids[1], ids[41]] }]);
  const synced = await here.pcw(SYNC);
  await sim.faults([]);
  assert.equal(synced.code, 3, synced.stderr);
  assert.equal(rows(here), COUNT - 2);
  assert.deepEqual(letters(here), [`${ids[1]} fetch invalid_request`, `${ids[41]} fetch invalid_request`]);
  const [message, fields] = here.sql("SELECT error, error_context->>'fields' FROM dead_letters LIMIT 1").split('|');
  assert.match(message, /ValidationException: half \\ud83d, nothing \\u0000, none \\u\{FFFF\} €+\.\.\.$/);
  assert.equal(fields, 'Project.Title\\u0000\\ud83d: nul \\u0000 (INVALID_VALUE)');

  // The end of a run that a list call ends is stored as well.
  await sim.faults([{ operation: 'ListOpportunities', kind: 'error', status: 400, body: 'foreign' }]);
  const failed = await here.pcw(SYNC);
  await sim.faults([]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.equal(brokenRuns(here), '');
  assert.match(here.sql("SELECT error FROM ingestion_runs WHERE status = 'failed'"), /half \\ud83d/);
});

test('members with made-up names are one finding beyond the first ten, over all runs', async () => {
  const here = await own();
  await sim.faults([{ operation: 'GetOpportunity', kind: 'unknown_member', random: 500 }]);
  for (let i = 0; i < 2; ++i) {
    await sim.modify({ count: COUNT });
    assert.equal((await here.pcw(SYNC)).code, 0);
    assert.equal(lastStats(here).records_processed, COUNT);
    assert.equal(here.sql('SELECT count(*) FROM schema_drift'), '11');
  }
  await sim.faults([]);
  assert.equal(here.sql("SELECT pointer || ' ' || records FROM schema_drift WHERE found LIKE 'more%'"), `/* ${2 * COUNT}`);
});

test('columns may be named like words of SQL; one that left the mapping is told, and emptied by a re-ingest', async () => {
  const here = await own();
  const words = ['order', 'user', 'select'].map((name) => `  ${name}: { from: /Customer/Account/Industry, type: text, pii: business }\n`).join('');
  mapping(here, 2, words);
  assert.equal((await here.pcw(['db', 'migrate'])).code, 0);
  const synced = await here.pcw(SYNC);
  assert.equal(synced.code, 0, synced.stderr);
  const filled = (column) => Number(here.sql(`SELECT count("${column}") FROM ${TABLE}`));
  const industries = filled('customer_industry');
  assert.ok(industries > 0);
  assert.deepEqual(['order', 'user', 'select'].map(filled), [industries, industries, industries]);
  here.sql(`TRUNCATE ${TABLE}`);
  for (const more of [['--dry-run'], [], ['--rebuild']]) {
    const done = await here.pcw([...REINGEST, ...more]);
    assert.equal(done.code, 0, done.stderr);
  }
  assert.equal(filled('order'), industries);

  // A column of the owner's own is nobody else's business.
  here.sql(`ALTER TABLE ${TABLE} ADD COLUMN note text; UPDATE ${TABLE} SET note = 'ours'`);
  const before = here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS;
  const file = mapping(here, 3, '');
  const after = here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS;
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = before;
  const diff = await here.pcw(['mapping', 'diff', file]);
  assert.match(diff.stdout, /order leaves the mapping: its values stay until `pcw bronze reingest --entity opportunities`/);
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = after;
  assert.match((await here.pcw(['mapping', 'check', file])).stdout, new RegExp(`order: the mapping does not fill it any more, and ${industries} rows`));
  const left = async () => json(await here.pcw(['doctor', 'schema', '-o', 'json'])).findings.filter((finding) => finding.code === 'PCW1308');
  const findings = await left();
  assert.deepEqual(findings.map((finding) => finding.message.match(/in (\w+),/)[1]).sort(), ['order', 'select', 'user']);
  assert.match(findings[0].next_steps[0], /^pcw bronze reingest --entity opportunities/);

  assert.equal((await here.pcw(REINGEST)).code, 0);
  assert.deepEqual([filled('order'), filled('user'), filled('select'), filled('note')], [0, 0, 0, COUNT]);
  assert.deepEqual(await left(), []);
  const whole = () => here.sql(`SELECT to_jsonb(t) - 'updated_at' - 'last_seen_run' FROM ${TABLE} t ORDER BY pc_opportunity_id`);
  const live = whole();
  assert.equal((await here.pcw([...REINGEST, '--rebuild'])).code, 0);
  assert.equal(whole(), live);
});
