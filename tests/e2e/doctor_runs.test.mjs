// Runbook 2.1: what doctor says of runs, of data that grows old, of a schedule that nobody serves.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { NO_QUOTA, Postgres, Sim, site } from './harness.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const ONLY = { PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities' };
const SYNC = ['sync', 'run', 'partner-central', 'opportunities'];

async function withSim(body) {
  const sim = await Sim.start(['--no-quota', '--opportunities', '20']);
  try {
    await body(sim, await site(postgres, sim, { ...NO_QUOTA, ...ONLY }));
  } finally {
    await sim.stop();
  }
}

async function findings(here) {
  const done = await here.pcw(['doctor', 'partner-central', '-o', 'json']);
  return JSON.parse(done.stdout).findings;
}
const troubles = async (here) => (await findings(here)).filter((finding) => finding.level !== 'INFO').map((finding) => finding.code);

test('doctor: never synced, fresh, failed and resumed, in the words of the section 2.1', () => withSim(async (sim, here) => {
  assert.equal((await here.pcw(['db', 'migrate'])).code, 0);
  assert.deepEqual((await findings(here)).map((finding) => finding.code), ['PCW2105']);

  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 0);
  assert.deepEqual((await findings(here)).map((finding) => finding.code), ['PCW2100']);

  await sim.faults([{ operation: 'ListOpportunities', kind: 'error', status: 503, rate: 1 }]);
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 69);
  await sim.faults([]);
  const failed = (await findings(here)).find((finding) => finding.code === 'PCW2101');
  assert.ok(failed, 'the failed run is told');
  const command = failed.next_steps.find((step) => step.startsWith('pcw sync run'));
  assert.equal((await here.pcw(command.split(' ').slice(1))).code, 0);
  assert.deepEqual(await troubles(here), []);
}));

test('doctor: a cause that still stands is the one alarm, and the age of the data is told beside it', () => withSim(async (sim, here) => {
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 0);
  await sim.post('/_sim/account', { denied_actions: ['partnercentral:ListOpportunities'] });
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 4);

  const done = JSON.parse((await here.pcw(['doctor', '-o', 'json'])).stdout).findings;

  assert.deepEqual(done.filter((finding) => finding.level === 'ERROR').map((finding) => finding.code), ['PCW1110']);
  assert.ok(done.some((finding) => finding.code === 'PCW2100'));
}));

test('doctor: data that is older than a day, and dead letters of a partial run', () => withSim(async (sim, here) => {
  await sim.faults([{ operation: 'GetOpportunity', kind: 'bad_record', variant: 'wrong_type', at: [3] }]);
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 3);
  await sim.faults([]);
  assert.deepEqual((await findings(here)).map((finding) => finding.code), ['PCW2106', 'PCW2100']);

  here.sql("UPDATE ingestion_runs SET started_at = now() - interval '30 hours', ended_at = now() - interval '30 hours'");
  assert.deepEqual((await troubles(here)).sort(), ['PCW2103']);
}));

test('doctor: a run whose process is gone is stalled, as runs list says', () => withSim(async (sim, here) => {
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 0);
  here.sql(`INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, fence)
    SELECT tenant_id, 'ffffffff-0000-7000-8000-000000000001', connector_id, entity, 'full', 'running', catalog, fence FROM ingestion_runs`);
  assert.equal(JSON.parse((await here.pcw(['runs', 'list', '-o', 'json'])).stdout).find((run) => run.id.startsWith('ffff')).status, 'stalled');
  assert.deepEqual(await troubles(here), ['PCW2102']);
}));

test('doctor: a schedule that nobody serves, and a job that no worker takes', () => withSim(async (sim, here) => {
  assert.equal((await here.pcw([...SYNC, '--mode', 'full'])).code, 0);
  here.sql(`INSERT INTO schedules (tenant_id, connector_id, entity, mode, spec, next_due, last_due)
    SELECT tenant_id, id, 'opportunities', 'incremental', 'every 300000 ms', now() - interval '10 minutes', now() - interval '15 minutes' FROM connectors WHERE kind = 'partner_central'`);
  const overdue = (await findings(here)).find((finding) => finding.code === 'PCW2104');
  assert.match(overdue?.message ?? '', /no scheduler asks for it/);

  here.sql("UPDATE schedules SET next_due = now() + interval '5 minutes', last_due = now()");
  assert.deepEqual(await troubles(here), []);
}));
