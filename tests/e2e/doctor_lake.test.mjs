// Runbook 3.2: what doctor says of a lake in S3, healthy and with each thing that can be the matter with it.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const LAKE = { PCW_LAKE_URL: 's3://pcw-lake-dev/tenants/acme_1' };
const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];

async function withSim(args, body, settings = {}) {
  const sim = await Sim.start(['--no-quota', ...args]);
  try {
    await body(sim, await site(postgres, sim, { ...NO_QUOTA, ...LAKE, ...settings }));
  } finally {
    await sim.stop();
  }
}

function expectCode(result, code) {
  assert.equal(result.code, code, `exit ${result.code} instead of ${code}\n${result.stdout}\n${result.stderr}`);
  return result;
}

async function diagnose(here, section, more = {}) {
  const done = await here.pcw(['doctor', section, '-o', 'json'], more);
  return JSON.parse(done.stdout).findings.filter((finding) => finding.level !== 'INFO').map((finding) => finding.code);
}

test('doctor: a healthy lake, then each thing that can be the matter with it', () => withSim(['--opportunities', '20'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  assert.deepEqual(await diagnose(here, 'bronze'), []);

  await sim.post('/_sim/account', { denied_actions: ['s3:ListBucket'] });
  assert.deepEqual(await diagnose(here, 'bronze'), ['PCW3203']);
  await sim.post('/_sim/account', { denied_actions: ['s3:PutObject'] });
  expectCode(await here.pcw(['sync', 'run', 'partner-central', 'solutions', '--mode', 'full']), 4);
  assert.deepEqual(await diagnose(here, 'bronze'), ['PCW3207']);
  await sim.post('/_sim/account', {});
  expectCode(await here.pcw(['sync', 'run', 'partner-central', 'solutions', '--mode', 'full']), 0);
  assert.deepEqual(await diagnose(here, 'bronze'), []);

  assert.deepEqual(await diagnose(here, 'bronze', { PCW_LAKE_URL: 's3://pcw-lake-dev/elsewhere' }), ['PCW3205']);
  assert.deepEqual(await diagnose(here, 'bronze', { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }), ['PCW3201']);
  await sim.post('/_sim/s3/delete-bucket?bucket=pcw-lake-dev');
  assert.deepEqual(await diagnose(here, 'bronze'), ['PCW3202']);
  const refused = await here.pcw(FULL);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /pcw-lake-dev/);
}));

test('doctor: a run folder that the database does not know is worth knowing', () => withSim(['--opportunities', '20'], async (sim, here) => {
  expectCode(await here.pcw(FULL), 0);
  here.sql('DELETE FROM run_parts; UPDATE partnercentral_opportunities SET last_seen_run = gen_random_uuid(); DELETE FROM ingestion_runs');
  const done = await here.pcw(['doctor', 'bronze', '-o', 'json']);

  assert.equal(done.code, 0);
  assert.ok(JSON.parse(done.stdout).findings.some((finding) => finding.code === 'PCW3206'));
}));
