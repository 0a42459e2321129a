// The first sync, end to end: the built binary against real PostgreSQL and the simulator.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, run, differences, brokenRuns, lastStats, NO_QUOTA } from './harness.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

async function withSim(args, body) {
  const sim = await Sim.start(args);
  try {
    await body(sim, await site(postgres, sim, NO_QUOTA));
  } finally {
    await sim.stop();
  }
}

const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const INCREMENTAL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'incremental'];

function expectCode(result, code) {
  assert.equal(result.code, code, `exit ${result.code} instead of ${code}\n${result.stdout}\n${result.stderr}`);
}

function files(dir) {
  return readdirSync(dir, { recursive: true }).map(String).filter((name) => statSync(path.join(dir, name)).isFile());
}

test('a full sync lands every opportunity, byte for byte, in bronze and in the table', () => withSim(['--opportunities', '250', '--seed', '7', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL, { PCW_SYNC_PART_RECORDS: '100' }), 0);

  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
  const stats = lastStats(here);
  assert.equal(stats.records_listed, 250);
  assert.equal(stats.records_processed, 250);
  assert.equal(stats.rows_inserted, 250);
  assert.equal(stats.api_calls, 253);

  const bronze = files(here.lake).filter((name) => name.startsWith('bronze/')).sort();
  assert.match(bronze[0], /^bronze\/partnercentral\/opportunities\/\d{4}\/\d\d\/\d\d\/run-[0-9a-f-]{36}\/data-00002\.json$/);
  assert.deepEqual(bronze.map((name) => path.basename(name)), ['data-00002.json', 'data-00003.json', 'data.json', 'manifest.json']);
  const line = JSON.parse(readFileSync(path.join(here.lake, bronze[2]), 'utf8').split('\n')[0]);
  assert.equal(line.meta.operation, 'GetOpportunity');
  assert.equal(line.meta.source, 'get');
  assert.match(line.payload.Id, /^O\d+$/);
  expectCode(await here.pcw(['bronze', 'verify']), 0);
}));

test('the runbook\'s two queries run as written and give right numbers', () => withSim(['--opportunities', '120', '--seed', '3', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);

  const nulls = here.sql(`SELECT COUNT(*),
       SUM(CASE WHEN customer_company_name IS NULL THEN 1 ELSE 0 END) as null_company,
       SUM(CASE WHEN expected_revenue_usd IS NULL THEN 1 ELSE 0 END) as null_revenue
FROM partnercentral_opportunities
WHERE updated_at > NOW() - INTERVAL '24 hours';`);
  const bodies = files(here.lake).filter((name) => name.includes('/data')).flatMap((name) =>
    readFileSync(path.join(here.lake, name), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line).payload));
  const companies = bodies.filter((o) => o.Customer?.Account?.CompanyName === undefined).length;
  const revenues = bodies.filter((o) => {
    // By company, never by place: the total contract value may come first.
    const all = o.Project?.ExpectedCustomerSpend ?? [];
    const spend = all.find((one) => one.TargetCompany === 'AWS') ?? all.find((one) => one.TargetCompany !== 'Self' && one.Frequency !== 'None');
    return spend?.CurrencyCode !== 'USD' || spend.Amount === undefined;
  }).length;
  assert.equal(nulls, `120|${companies}|${revenues}`);
  assert.ok(revenues > 0 && revenues < 120, 'the data has both kinds');

  const health = here.sql(`SELECT id, entity, status, started_at, ended_at,
       stats_json->>'records_processed' as records
FROM ingestion_runs
WHERE connector_id = (SELECT id FROM connectors WHERE kind = 'partner_central')
ORDER BY started_at DESC
LIMIT 10;`);
  assert.match(health, /^[0-9a-f-]{36}\|opportunities\|succeeded\|.+\|.+\|120$/);
  const operator = await here.pcw(['db', 'psql'], {}, { input: 'SELECT count(*) AS n FROM partnercentral_opportunities;\n' });
  expectCode(operator, 0);
  assert.match(operator.stdout, /120/);
  const denied = await here.pcw(['db', 'psql'], {}, { input: '\\set ON_ERROR_STOP 1\nSET default_transaction_read_only = off;\nDELETE FROM partnercentral_opportunities;\n' });
  assert.notEqual(denied.code, 0);
  assert.match(denied.stderr, /permission denied/);
}));

test('an incremental sync with no change is one list call and no detail call', () => withSim(['--opportunities', '300', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  await sim.resetCalls();

  expectCode(await here.pcw(INCREMENTAL), 0);

  const calls = (await sim.calls()).map((call) => call.operation).filter((operation) => operation.includes('Opportunit'));
  assert.deepEqual(calls, ['ListOpportunities']);
  assert.equal(lastStats(here).records_processed, 0);
  // It stored nothing, so it vouches for nothing: one manifest, the full sweep's, and no folder of its own.
  assert.equal(files(here.lake).filter((name) => name.endsWith('manifest.json')).length, 1);
  assert.equal(here.sql(`SELECT bronze_prefix IS NULL, jsonb_array_length(stats_json->'request_ids'), stats_json->>'pages' FROM ingestion_runs
    ORDER BY started_at DESC LIMIT 1`), 't|1|1');
  expectCode(await here.pcw(['bronze', 'verify']), 0);
}));

test('an incremental sync fetches what changed and nothing else', () => withSim(['--opportunities', '300', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  await sim.modify({ count: 7 });
  await sim.insert({ count: 3 });
  await sim.resetCalls();

  expectCode(await here.pcw(INCREMENTAL), 0);

  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetOpportunity').length, 10);
  const stats = lastStats(here);
  assert.equal(stats.rows_inserted, 3);
  assert.equal(stats.rows_updated, 7);
  assert.deepEqual(await differences(here, sim), []);
}));

test('a first sync may be incremental', () => withSim(['--opportunities', '150', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(INCREMENTAL), 0);

  assert.deepEqual(await differences(here, sim), []);
}));

test('a second full sync skips what is held and rewrites nothing', () => withSim(['--opportunities', '230', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  const before = here.sql('SELECT max(updated_at) FROM partnercentral_opportunities');
  await sim.resetCalls();

  expectCode(await here.pcw(FULL), 0);

  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetOpportunity').length, 0);
  assert.equal(lastStats(here).records_skipped, 230);
  assert.equal(here.sql('SELECT max(updated_at) FROM partnercentral_opportunities'), before);
}));

// A plan made while the table was empty, or for a table without statistics, once read the whole table for every page.
test('a first sync of a new table never reads the table over and over', () => withSim(['--opportunities', '2000', '--no-quota'], async (sim, here) => {
  const done = await here.pcw(FULL);
  assert.equal(done.code, 0, done.stderr);
  const read = Number(here.sql("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'partnercentral_opportunities'"));
  assert.ok(read <= 5 * 2000, `${read} rows read for 2,000 records`);
}));

test('records that vanish are marked after two full sweeps, never deleted, and come back', () => withSim(['--opportunities', '60', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  const [gone] = (await sim.truth()).map((row) => row.id);
  await sim.remove({ ids: [gone] });
  const missing = () => here.sql('SELECT pc_opportunity_id FROM partnercentral_opportunities WHERE missing_since IS NOT NULL');

  expectCode(await here.pcw(FULL), 0);
  assert.equal(missing(), '', 'once is not enough');
  expectCode(await here.pcw(FULL), 0);
  assert.equal(missing(), gone);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '60');

  const [back] = (await sim.truth()).map((row) => row.id);
  here.sql(`UPDATE partnercentral_opportunities SET missing_since = now(), missed_full_scans = 2 WHERE pc_opportunity_id = '${back}'`);
  expectCode(await here.pcw(FULL), 0);
  assert.equal(missing(), gone, 'a record that is listed again is missing no more');
}));

test('a full sweep that suddenly lists nothing is a finding, not sixty deletions', () => withSim(['--opportunities', '60', '--no-quota'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  await sim.remove({ ids: (await sim.truth()).map((row) => row.id) });

  for (let sweep = 0; sweep < 3; ++sweep) expectCode(await here.pcw(FULL), 3);

  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities WHERE missing_since IS NOT NULL'), '0');
  assert.match(lastStats(here).finding, /listed nothing/);
}));

for (const tokens of ['keyset', 'offset']) {
  test(`records modified between pages are all there in the end (${tokens} tokens)`, () => withSim(['--opportunities', '400', '--no-quota', '--tokens', tokens], async (sim, here) => {
    await sim.faults([{ operation: 'ListOpportunities', kind: 'modify_between_pages', every: 1, n: 5 }]);
    expectCode(await here.pcw(FULL), 0);
    await sim.faults([]);
    expectCode(await here.pcw(INCREMENTAL), 0);

    assert.deepEqual(await differences(here, sim), []);
    assert.equal(brokenRuns(here), '');
  }));
}

test('a record that cannot be mapped is a dead letter; the rest lands; a later good version settles it', () => withSim(['--opportunities', '50', '--no-quota'], async (sim, here) => {
  await sim.faults([{ operation: 'GetOpportunity', kind: 'bad_record', at: [10], variant: 'missing_modified' }]);
  const first = await here.pcw(FULL);
  expectCode(first, 3);

  assert.equal(here.sql("SELECT status FROM ingestion_runs"), 'partial');
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '49');
  const listed = await here.pcw(['dlq', 'list', '-o', 'json']);
  expectCode(listed, 0);
  const [letter] = JSON.parse(listed.stdout);
  assert.equal(letter.stage, 'map');
  assert.equal(letter.error_code, 'schema_mismatch');
  const shown = await here.pcw(['dlq', 'show', letter.id, '-o', 'json']);
  expectCode(shown, 0);
  assert.equal(JSON.parse(shown.stdout).record_key, letter.record_key);
  const line = await here.pcw(['bronze', 'cat', letter.bronze_key]);
  assert.match(line.stdout.split('\n')[letter.bronze_line - 1], new RegExp(letter.record_key), 'bronze holds it');

  await sim.faults([]);
  expectCode(await here.pcw(FULL), 0);
  assert.equal(JSON.parse((await here.pcw(['dlq', 'list', '-o', 'json'])).stdout).length, 0);
  assert.deepEqual(await differences(here, sim), []);
}));

test('a detail that fails for a while is deferred to the end of the scan and lands', () => withSim(['--opportunities', '50', '--no-quota'], async (sim, here) => {
  await sim.faults([{ operation: 'GetOpportunity', kind: 'error', status: 500, at: [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18] }]);
  expectCode(await here.pcw(FULL, { PCW_CONNECTORS_PARTNER_CENTRAL_MAX_IN_FLIGHT: '4' }), 0);

  assert.ok(lastStats(here).records_deferred > 0);
  assert.deepEqual(await differences(here, sim), []);
}));

test('SIGTERM keeps what is fetched, ends the run as cancelled with exit 130, and a rerun completes it', () => withSim(['--opportunities', '2000', '--no-quota', '--latency', '5'], async (sim, here) => {
  let child;
  const going = here.pcw(FULL, { PCW_SYNC_PART_RECORDS: '50' }, { onSpawn: (c) => { child = c; } });
  while (here.sql('SELECT count(*) FROM partnercentral_opportunities') === '0') await new Promise(setImmediate);
  child.kill('SIGTERM');
  expectCode(await going, 130);

  assert.equal(here.sql('SELECT status FROM ingestion_runs'), 'cancelled');
  assert.equal(brokenRuns(here), '');
  const held = Number(here.sql('SELECT count(*) FROM partnercentral_opportunities'));
  assert.ok(held > 0 && held < 2000, `${held} held`);
  expectCode(await here.pcw([...FULL, '--resume']), 0);
  assert.equal(lastStats(here).records_skipped, held);
  assert.deepEqual(await differences(here, sim), []);
}));

test('--resume goes on in the mode of the run that failed, however many newer runs there are', () => withSim(['--opportunities', '20', '--no-quota'], async (sim, here) => {
  await sim.faults([{ operation: 'ListOpportunities', kind: 'error', status: 500, rate: 1 }]);
  expectCode(await here.pcw(FULL), 69);
  const [failed, mode] = here.sql('SELECT id, mode FROM ingestion_runs').split('|');
  assert.equal(mode, 'full');
  here.sql(`INSERT INTO ingestion_runs SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'mode', 'incremental',
    'status', 'succeeded', 'error_code', NULL, 'error', NULL, 'bronze_prefix', NULL, 'started_at', r.started_at + n * interval '1 ms'))).*
    FROM ingestion_runs r, generate_series(1, 60) AS n`);
  await sim.faults([]);

  expectCode(await here.pcw(['sync', 'run', 'partner-central', 'opportunities', '--resume']), 0);

  assert.equal(here.sql(`SELECT mode || ' ' || status FROM ingestion_runs WHERE resumed_from = '${failed}'`), 'full succeeded');
}));

test('two signals of one request, as timeout(1) sends them to its child and to its group, stop cleanly; a later one ends at once', () => withSim(['--opportunities', '2000', '--no-quota', '--latency', '5'], async (sim, here) => {
  let child;
  const going = here.pcw(FULL, { PCW_SYNC_PART_RECORDS: '50' }, { onSpawn: (c) => { child = c; } });
  while (here.sql('SELECT count(*) FROM partnercentral_opportunities') === '0') await new Promise(setImmediate);
  child.kill('SIGTERM');
  child.kill('SIGINT');  // another one, so that the two do not become one on their way
  expectCode(await going, 130);
  assert.equal(here.sql('SELECT status FROM ingestion_runs'), 'cancelled');

  const stuck = here.pcw(FULL, { PCW_SYNC_PART_RECORDS: '50' }, { onSpawn: (c) => { child = c; } });
  while (here.sql("SELECT count(*) FROM ingestion_runs WHERE status = 'running'") === '0') await new Promise(setImmediate);
  const sessions = here.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'").split('\n').map(Number);
  for (const pid of sessions) process.kill(pid, 'SIGSTOP');
  try {
    const began = performance.now();
    while (child.exitCode === null) {
      child.kill('SIGTERM');
      await new Promise(setImmediate);
    }
    expectCode(await stuck, 130);
    assert.ok(performance.now() - began < 5_000, 'the database that hangs is not waited for');
  } finally {
    for (const pid of sessions) process.kill(pid, 'SIGCONT');
  }
}));

test('two processes never write the same entity at once', () => withSim(['--opportunities', '1500', '--no-quota', '--latency', '5'], async (sim, here) => {
  const going = here.pcw(FULL, { PCW_SYNC_PART_RECORDS: '50' });
  while (here.sql("SELECT count(*) FROM ingestion_runs WHERE status = 'running'") === '0') await new Promise(setImmediate);
  const second = await here.pcw(FULL);
  expectCode(await going, 0);

  if (second.code !== 0) assert.match(second.stderr, /held|running|another/i);
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
}));

test('pcw stays inside AWS\'s quota: no refusal, at most 12 calls in any second', async () => {
  const sim = await Sim.start(['--opportunities', '80', '--latency', '300']);
  try {
    const here = await site(postgres, sim);
    expectCode(await here.pcw(FULL), 0);
    const stats = await sim.stats();
    assert.equal(stats.refused ?? 0, 0, JSON.stringify(stats));
    const arrivals = (await sim.calls()).filter((call) => call.operation.includes('Opportunit')).map((call) => call.arrival_us / 1e6);
    const most = Math.max(...arrivals.map((start) => arrivals.filter((t) => t >= start && t < start + 1).length));
    assert.ok(most <= 12, `${most} calls in one second`);
    const use = ((arrivals.length - 10) / 10) / (arrivals.at(-1) - arrivals[0]);
    assert.ok(use >= 0.85, `use of the quota ${use}`);
    const shown = JSON.parse((await here.pcw(['quota', 'show', '-o', 'json'])).stdout);
    const reads = shown.find((row) => row.quota_class === 'read');
    assert.equal(reads.used_24h, arrivals.length);
  } finally {
    await sim.stop();
  }
});

test('the embedded server is used when no database is configured, and is gone afterwards', async () => {
  const sim = await Sim.start(['--opportunities', '30', '--no-quota']);
  try {
    const here = await site(postgres, sim, NO_QUOTA);
    const env = { ...here.env };
    delete env.PCW_DATABASE_URL;
    expectCode(await run(FULL, env), 0);
    const listed = await run(['runs', 'list', '-o', 'json'], env);
    expectCode(listed, 0);
    assert.equal(JSON.parse(listed.stdout)[0].status, 'succeeded');
    assert.throws(() => statSync(path.join(env.PCW_HOME, 'pg', 'postmaster.pid')), 'the last user stopped the server');
  } finally {
    await sim.stop();
  }
});
