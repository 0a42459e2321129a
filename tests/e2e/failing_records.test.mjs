// A record that fails never costs its neighbours, nor the truth about it: which outcome each has, what the next run does, and how runs end.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, brokenRuns, lastStats, NO_QUOTA } from './harness.mjs';

const GET = 'GetOpportunity';
const full = (entity = 'opportunities', ...more) => ['sync', 'run', 'partner-central', entity, '--mode', 'full', ...more];

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

async function withSim(args, body) {
  const sim = await Sim.start(['--no-quota', ...args]);
  try {
    const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20' });
    await body(sim, here);
    assert.equal(brokenRuns(here), '', 'every run ended and adds up');
  } finally {
    await sim.stop();
  }
}

const rows = (here, table = 'opportunities') => Number(here.sql(`SELECT count(*) FROM partnercentral_${table}`));
const open = (here) => Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"));
const missing = (here, table = 'opportunities') => Number(here.sql(`SELECT count(*) FROM partnercentral_${table} WHERE missing_since IS NOT NULL`));

async function runs(here, args, code, env = {}) {
  const done = await here.pcw(args, env);
  assert.equal(done.code, code, `${done.stdout}\n${done.stderr}`);
  return { ...done, stats: lastStats(here) };
}

/** How often each record was written to bronze, over all runs. */
function bronzeLines(here) {
  const lines = new Map();
  for (const file of readdirSync(here.lake, { recursive: true })) {
    if (!/data(-\d+)?\.json$/.test(file)) continue;
    for (const line of readFileSync(path.join(here.lake, file), 'utf8').split('\n').filter(Boolean)) {
      const { id } = JSON.parse(line).meta;
      lines.set(id, (lines.get(id) ?? 0) + 1);
    }
  }
  return lines;
}

test('ten records that always fail with 500 cost themselves only, in this run and in every later one', () => withSim(['--opportunities', '120'], async (sim, here) => {
  const ids = (await sim.truth()).map((row) => row.id).sort();
  const failing = ids.slice(0, 10);
  await sim.faults([{ operation: GET, kind: 'error', status: 500, identifier: failing }]);
  const first = await runs(here, full(), 3);
  assert.deepEqual([first.stats.records_listed, first.stats.dead_lettered, rows(here), open(here)], [120, 10, 110, 10]);

  // Nothing but the failing ones is left to fetch, and new records land all the same, before them.
  const added = (await sim.insert({ count: 3 })).ids;
  await sim.resetCalls();
  const second = await runs(here, full(), 3);
  assert.deepEqual([second.stats.records_listed, second.stats.dead_lettered, rows(here)], [123, 10, 113]);
  assert.equal(here.sql('SELECT DISTINCT attempts FROM dead_letters'), '2', 'one attempt a run, whatever the call repeats');
  const asked = (await sim.calls()).filter((call) => call.operation === GET).map((call) => call.identifier);
  assert.ok(added.every((id) => asked.lastIndexOf(id) < asked.findIndex((other) => failing.includes(other))), asked.join(' '));

  await sim.faults([]);
  await runs(here, full(), 0);
  assert.deepEqual([rows(here), open(here)], [123, 0]);
}));

test('when only records that failed before are left, they stop no run', () => withSim(['--opportunities', '200'], async (sim, here) => {
  await sim.faults([{ operation: GET, kind: 'not_found', every: 3, by: 'record' }]);
  await runs(here, full(), 3);
  const failing = open(here);
  assert.ok(failing > 50, `${failing}`);
  for (let again = 0; again < 2; ++again) {
    const { stats } = await runs(here, full(), 3);
    assert.deepEqual([stats.dead_lettered, stats.records_skipped], [failing, 200 - failing]);
  }
}));

test('a denied record is a dead letter; a denied account ends the run', () => withSim(['--opportunities', '60'], async (sim, here) => {
  const ids = (await sim.truth()).map((row) => row.id).sort();
  await sim.faults([{ operation: GET, kind: 'access_denied', identifier: ids.slice(35) }]);
  await runs(here, full(), 3);
  assert.deepEqual([rows(here), open(here)], [35, 25]);
  // Twenty denials and no success: a held record tells that they are the records' own.
  await runs(here, full(), 3);
  assert.equal(here.sql("SELECT DISTINCT attempts, error_code FROM dead_letters WHERE state = 'open'"), '2|permission_denied');

  await sim.faults([]);
  await sim.post('/_sim/account', { denied_actions: ['partnercentral:GetOpportunity'] });
  await sim.modify({ ids: ids.slice(0, 3) });
  const stopped = await runs(here, ['sync', 'run', 'partner-central', 'opportunities'], 4);
  assert.match(stopped.stderr, /is not authorized to perform: partnercentral:GetOpportunity/);
  assert.equal(open(here), 25, 'what the account may not is not a fault of a record');
  await sim.post('/_sim/account', {});
  await runs(here, full(), 0);
  assert.deepEqual([rows(here), open(here)], [60, 0]);
}));

test('twenty denials without a success end a first run with exit 4', () => withSim(['--opportunities', '60'], async (sim, here) => {
  await sim.faults([{ operation: GET, kind: 'access_denied' }]);
  await sim.resetCalls();
  const { stats } = await runs(here, full(), 4);
  assert.equal(stats.reason, 'permission_denied');
  assert.ok((await sim.calls()).filter((call) => call.operation === GET).length < 60, 'it stops early');
  assert.deepEqual([rows(here), open(here)], [0, 0]);
}));

for (const [operation, entity, table] of [['GetEngagement', 'leads', 'leads'], ['GetProfileVisibility', 'profiles', 'profiles'], ['GetAwsOpportunitySummary', 'aws_summaries', 'aws_summaries']]) {
  test(`${operation}: one denied identifier is one dead letter`, () => withSim(['--opportunities', '30'], async (sim, here) => {
    await runs(here, full(entity), 0);
    const all = rows(here, table);
    const [id] = (await sim.get(`/_sim/truth?entity=${entity}`)).map((row) => row.id).filter((name) => !name.startsWith('engi-'));
    const again = await site(postgres, sim, NO_QUOTA);
    await sim.faults([{ operation, kind: 'access_denied', identifier: id }]);
    for (let run = 0; run < 2; ++run) await runs(again, full(entity), 3);
    assert.equal(again.sql('SELECT record_key, error_code, attempts, state FROM dead_letters'), `${id}|permission_denied|2|open`);
    // What an invitation tells of a lead is kept, and settles nothing.
    if (entity === 'leads') assert.equal(again.sql(`SELECT count(*) FROM partnercentral_leads WHERE lead_id = '${id}' AND source_rank = 1`), '0');
    else assert.equal(rows(again, table), all - 1);
    assert.equal(brokenRuns(again), '');
  }));
}

test('an opportunity without a summary is not a failure, and a row whose summary is gone stays', () => withSim(['--opportunities', '200'], async (sim, here) => {
  const ids = (await sim.truth()).map((row) => row.id).sort();
  const without = ids.slice(80);
  await sim.faults([{ operation: 'GetAwsOpportunitySummary', kind: 'not_found', identifier: without }]);
  await sim.resetCalls();
  const { stats } = await runs(here, full('aws_summaries'), 0);
  assert.deepEqual([stats.records_listed, stats.rows_inserted, stats.records_absent, stats.dead_lettered, stats.records_deferred], [200, 80, 120, 0, 0]);
  assert.deepEqual([rows(here, 'aws_summaries'), open(here)], [80, 0]);
  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetAwsOpportunitySummary').length, 200, 'nothing is asked for twice');

  await sim.faults([{ operation: 'GetAwsOpportunitySummary', kind: 'not_found', identifier: ids.slice(79) }]);
  for (let sweep = 0; sweep < 3; ++sweep) {
    const done = await runs(here, full('aws_summaries'), 0);
    assert.match(done.stats.finding, new RegExp(`no aws_summaries record any more for 1 rows, among them ${ids[79]}`));
  }
  assert.deepEqual([rows(here, 'aws_summaries'), missing(here, 'aws_summaries')], [80, 0]);
  assert.equal(here.sql('SELECT count(DISTINCT last_seen_run) FROM partnercentral_aws_summaries'), '1', 'all were seen by the last run');
}));

test('a listed record is never missing, whatever becomes of its details, and is counted once a run', () => withSim(['--opportunities', '50'], async (sim, here) => {
  await runs(here, full(), 0);
  const [lost, broken, slow, fine] = (await sim.truth()).map((row) => row.id).sort();
  await sim.modify({ ids: [lost, broken, slow] });
  await sim.faults([
    { operation: GET, kind: 'not_found', identifier: lost },
    { operation: GET, kind: 'bad_record', variant: 'missing_modified', identifier: broken },
    { operation: GET, kind: 'error', status: 500, identifier: slow },
    { operation: 'ListOpportunities', kind: 'duplicate_in_page' },
  ]);
  for (let sweep = 1; sweep <= 3; ++sweep) {
    const { stats } = await runs(here, full(), 3, { PCW_CONNECTORS_PARTNER_CENTRAL_BATCH_SIZE: '20' });
    assert.deepEqual([stats.records_listed, stats.records_skipped, stats.records_duplicate, stats.dead_lettered, stats.records_missing], [53, 49, 1, 3, 0], JSON.stringify(stats));
    assert.equal(here.sql('SELECT DISTINCT attempts FROM dead_letters'), String(sweep));
    assert.equal(bronzeLines(here).get(broken), 1 + sweep, 'once a run');
  }
  assert.equal(missing(here), 0);
  assert.equal(here.sql('SELECT max(missed_full_scans) FROM partnercentral_opportunities'), '0');
  assert.equal(bronzeLines(here).get(fine), 1);

  // One that was missing is back as soon as it is listed.
  here.sql(`UPDATE partnercentral_opportunities SET missing_since = now(), missed_full_scans = 2 WHERE pc_opportunity_id = '${lost}'`);
  await runs(here, full(), 3);
  assert.equal(missing(here), 0);
}));

test('a listing that shrank far counts no absence until another one, or a person, says the same', () => withSim(['--opportunities', '100'], async (sim, here) => {
  await runs(here, full(), 0);
  const { watermark_after: watermark } = lastStats(here);
  await sim.remove({ count: 70 });
  const { stats, stdout } = await runs(here, full(), 3);
  assert.deepEqual([stats.reason, stats.records_listed, stats.records_missing, stats.watermark_after], ['listing_shrank', 30, 0, watermark]);
  assert.match(stdout, /look at this: the full scan listed 30 records, far fewer than before \(100\).*--accept-shrink/);
  assert.equal(here.sql('SELECT max(missed_full_scans) FROM partnercentral_opportunities'), '0');

  await sim.remove({ count: 10 });
  assert.equal((await runs(here, full(), 3)).stats.reason, 'listing_shrank', '20 is not within 5 % of 30');
  assert.equal((await runs(here, full(), 0)).stats.reason, undefined);
  assert.equal((await runs(here, full(), 0)).stats.records_missing, 80);
  assert.equal(missing(here), 80);

  // A setting, and a person's word.
  await sim.remove({ count: 15 });
  await runs(here, full(), 0, { PCW_SYNC_SHRANK_BELOW_PERCENT: '0' });
  await sim.remove({ count: 5 });
  assert.match((await runs(here, full(), 3)).stats.finding, /listed nothing although/);
  await runs(here, full('opportunities', '--accept-shrink'), 0);
  await runs(here, full('opportunities', '--accept-shrink'), 0);
  assert.equal(missing(here), 100);
}));

test('empty pages without end end the run with exit 69, and what was listed is committed', () => withSim(['--opportunities', '60'], async (sim, here) => {
  await sim.faults([{ operation: 'ListOpportunities', kind: 'empty_page_with_token', at: Array.from({ length: 300 }, (_, i) => i + 2) }]);
  await sim.resetCalls();
  const { stats, stderr } = await runs(here, full(), 69, { PCW_CONNECTORS_PARTNER_CENTRAL_BATCH_SIZE: '20' });
  assert.match(stderr, /100 pages in a row that list nothing/);
  assert.deepEqual([stats.reason, stats.resumable], ['endless_empty_pages', true]);
  assert.equal(rows(here), 20);
  assert.equal((await sim.calls()).filter((call) => call.operation === 'ListOpportunities').length, 101);
  await sim.faults([]);
  await runs(here, full(), 0);
  assert.equal(rows(here), 60);
}));

test('a run that too many failures stopped has exit 1, or 69 if AWS was only out of order', () => withSim(['--opportunities', '80'], async (sim, here) => {
  await sim.faults([{ operation: GET, kind: 'not_found' }]);
  assert.equal((await runs(here, full(), 1)).stats.reason, 'too_many_fetch_failures');
  await sim.faults([{ operation: GET, kind: 'bad_record', variant: 'missing_modified' }]);
  const drifted = await runs(here, full(), 1);
  assert.equal(drifted.stats.reason, 'too_many_mismatches');
  const [id] = here.sql('SELECT id FROM ingestion_runs ORDER BY started_at DESC').split('\n');
  assert.equal((await here.pcw(['runs', 'watch', id])).code, 1);
  assert.equal(missing(here), 0);
}));
