// What a sync would cost, who spent what, and a daily quota that is exhausted in the middle of a first sync.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Postgres, Sim, site, brokenRuns, differences } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const PLAN = ['sync', 'plan', 'partner-central', 'opportunities', '-o', 'json'];
// scripts/soak runs the day's edge with 100,000 records at AWS's own daily limit.
const RECORDS = Number(process.env.PCW_DAY_RECORDS ?? 60);
const PER_DAY = RECORDS > 60 ? 100_000 : 40;
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(RECORDS), '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

const FAST = { PCW_QUOTA_READS_PER_SECOND: '1000' };

test('a first sync of 100,000 opportunities is planned over the edge of the day', async () => {
  const here = await site(postgres, sim);
  const planned = await here.pcw([...PLAN, '--records', '100000']);
  assert.equal(planned.code, 0, planned.stderr);
  const [plan] = JSON.parse(planned.stdout);

  assert.deepEqual([plan.list_calls, plan.detail_calls, plan.relist_calls, plan.calls], [1_000, 100_000, 1_000, 102_000]);
  assert.equal(plan.left_24h, 95_000);
  assert.equal(plan.pauses.length, 1);
  assert.equal(plan.pauses[0].reason, 'quota_spent');
  const hours = (Date.parse(plan.finish_at) - Date.now()) / 3_600_000;
  assert.ok(hours > 24 && hours < 25, `${hours} h`);
  assert.equal((await sim.calls()).filter((call) => call.operation !== 'GetCallerIdentity').length, 0, 'a plan calls nothing');
});

test('how many there are is counted on request, and known after a full sync', async () => {
  const here = await site(postgres, sim, FAST);
  const unknown = await here.pcw(PLAN);
  assert.equal(unknown.code, 64);
  assert.match(unknown.stderr, /--records N, or --count/);

  const counted = await here.pcw([...PLAN, '--count']);
  assert.equal(JSON.parse(counted.stdout)[0].records, 60);
  assert.equal((await here.pcw(SYNC)).code, 0);
  const [plan] = JSON.parse((await here.pcw(PLAN)).stdout);
  assert.deepEqual([plan.records, plan.held, plan.calls], [60, 60, 1]);
});

test('the ledger says who spent what, by operation', async () => {
  const here = await site(postgres, sim, FAST);
  assert.equal((await here.pcw(SYNC)).code, 0);
  const [reads] = JSON.parse((await here.pcw(['quota', 'show', '-o', 'json'])).stdout);

  assert.equal(reads.used_24h, 61);
  const spent = Object.fromEntries(reads.spent_by.map((row) => [row.operation, row]));
  assert.equal(spent.GetOpportunity.calls_24h, 60);
  assert.equal(spent.ListOpportunities.calls_24h, 1);
  assert.match(spent.GetOpportunity.spender, /^sync opportunities full on \S+$/);
});

test('a daily quota that is exhausted in mid-run ends it with exit 5, keeps the reserve, and --resume goes on', async () => {
  const here = await site(postgres, sim, { ...FAST, PCW_QUOTA_READS_PER_DAY: '40' });
  const spent = await here.pcw(SYNC);
  assert.equal(spent.code, 5, spent.stderr);
  assert.match(spent.stderr, /daily quota exhausted: the 38 read calls of the rolling 24 hours are spent \(2 more are kept for writes and diagnosis\)/);
  assert.equal(here.sql("SELECT status || ' ' || error_code || ' ' || (stats_json->>'resumable') FROM ingestion_runs"), 'failed throttled true');

  here.sql("UPDATE quota_usage SET bucket = bucket - interval '25 hours'");
  // Without --mode it goes on as what it was.
  assert.equal((await here.pcw([...SYNC.slice(0, 4), '--resume'])).code, 0);
  assert.equal(here.sql('SELECT DISTINCT mode FROM ingestion_runs'), 'full');
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
});

test('--wait pauses with the reason and goes on by itself when the day frees', async () => {
  const here = await site(postgres, sim, { ...FAST, PCW_QUOTA_READS_PER_DAY: String(PER_DAY) });
  await sim.resetCalls();
  let heard = '';
  let child;
  const sync = here.pcw([...SYNC, '--wait'], {}, { deadline: 60_000 + 10 * RECORDS, onSpawn: (spawned) => (child = spawned).stderr.on('data', (chunk) => (heard += chunk)) });
  while (!heard.includes('paused') && child.exitCode === null) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
  assert.match(heard, new RegExp(`paused: daily quota exhausted: the ${PER_DAY * 0.95} read calls .* the next are free at .*; run \\S+ goes on by itself when [\\d,]+ calls are free`));

  here.sql("UPDATE quota_usage SET bucket = bucket - interval '25 hours'");
  const done = await sync;
  assert.equal(done.code, 0, done.stderr.slice(-2000));
  assert.deepEqual(await differences(here, sim), []);
  const reads = (await sim.stats()).operations;
  const [lists, details] = [Math.ceil(RECORDS / 100), RECORDS];
  console.log(`${RECORDS} records: ${JSON.stringify(reads)}, planned ${lists + details} calls`);
});
