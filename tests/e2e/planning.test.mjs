// What a sync would cost, who spent what, and a day that is spent in the middle of a first sync.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, brokenRuns, differences } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const PLAN = ['sync', 'plan', 'partner-central', 'opportunities', '-o', 'json'];
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '60', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

const FAST = { PCW_QUOTA_READS_PER_SECOND: '500' };

test('a first sync of 100,000 opportunities is planned over the edge of the day', async () => {
  const here = await site(postgres, sim);
  const planned = await here.pcw([...PLAN, '--records', '100000']);
  assert.equal(planned.code, 0, planned.stderr);
  const [plan] = JSON.parse(planned.stdout);

  assert.equal(plan.calls, 101_000);
  assert.equal(plan.left_24h, 95_000);
  assert.ok(plan.pauses.length >= 1);
  assert.equal(plan.pauses[0].reason, 'quota_spent');
  const hours = (Date.parse(plan.finish_at) - Date.now()) / 3_600_000;
  assert.ok(hours > 24 && hours < 24.5, `${hours} h`);
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
  assert.match(spent.GetOpportunity.spender, /^sync opportunities full on .*, pid \d+$/);
});

test('a day that is spent in mid-run ends it with exit 5, keeps the reserve, and --resume goes on', async () => {
  const here = await site(postgres, sim, { ...FAST, PCW_QUOTA_READS_PER_DAY: '40' });
  const spent = await here.pcw(SYNC);
  assert.equal(spent.code, 5, spent.stderr);
  assert.match(spent.stderr, /the 38 read calls of the rolling 24 hours are spent \(2 more are kept for writes and diagnosis\)/);
  assert.equal(here.sql("SELECT status || ' ' || error_code || ' ' || (stats_json->>'resumable') FROM ingestion_runs"), 'failed throttled true');

  here.sql("UPDATE quota_usage SET bucket = bucket - interval '25 hours'");
  assert.equal((await here.pcw([...SYNC, '--resume'])).code, 0);
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
});

test('--wait pauses with the reason and goes on by itself when the day frees', async () => {
  const here = await site(postgres, sim, { ...FAST, PCW_QUOTA_READS_PER_DAY: '40' });
  let heard = '';
  const sync = here.pcw([...SYNC, '--wait'], {}, { onSpawn: (child) => child.stderr.on('data', (chunk) => (heard += chunk)) });
  while (!heard.includes('paused')) await new Promise((done) => setImmediate(done));
  assert.match(heard, /paused: the 38 read calls .* the next are free at .*; run \S+ goes on then by itself/);

  here.sql("UPDATE quota_usage SET bucket = bucket - interval '25 hours'");
  const done = await sync;
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await differences(here, sim), []);
});
