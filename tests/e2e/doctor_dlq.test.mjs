// pcw doctor dlq (runbook 3.3): each fault is named with its code, its owner and the exact next command.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
let postgres;
let sim;

before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '60', '--seed', '11', '--no-quota']);
});

after(async () => {
  await sim.stop();
  await postgres.stop();
});

async function withLetters(queue) {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0', ...(queue && { PCW_DLQ_URL: `${sim.url}/123456789012/${queue}` }) });
  await sim.faults([{ operation: 'GetOpportunity', kind: 'bad_record', variant: 'missing_modified', every: 3 }]);
  const done = await here.pcw(SYNC);
  await sim.faults([]);
  assert.equal(done.code, 3, done.stderr);
  return here;
}

async function doctor(here, extra = {}) {
  const done = await here.pcw(['doctor', 'dlq', '-o', 'json'], extra);
  return JSON.parse(done.stdout).findings;
}

const codes = (findings) => findings.map((finding) => finding.code);

test('no dead letters: nothing is said', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  assert.equal((await here.pcw(SYNC)).code, 0);
  assert.deepEqual(await doctor(here), []);
});

test('groups with owner and the exact next command; growth', async () => {
  const here = await withLetters();
  const findings = await doctor(here);
  assert.ok(codes(findings).includes('PCW3309'));
  const group = findings.find((finding) => finding.code === 'PCW3301');
  assert.ok(group, JSON.stringify(findings));
  const command = group.next_steps.find((step) => step.startsWith('pcw dlq replay --group '));
  const tried = await here.pcw(command.split(' ').slice(1));
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(JSON.stringify(group), /Data engineering/);
});

for (const [code, title, prepare] of [
  ['PCW3303', 'a queue that does not exist', () => ({ PCW_DLQ_URL: `${sim.url}/123456789012/no-such-queue` })],
  ['PCW3304', 'a queue that is denied', async () => { await sim.post('/_sim/account', { denied_actions: ['sqs:GetQueueAttributes'] }); return {}; }],
  ['PCW3305', 'an endpoint that nobody listens on', () => ({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9' })],
  ['PCW3306', 'messages past half of their retention', (here) => { here.sql("UPDATE dead_letters SET sent_at = now() - interval '8 days', expires_at = now() + interval '6 days'"); return {}; }],
  ['PCW3307', 'dead letters that are not delivered', (here) => { here.sql("UPDATE dead_letters SET delivered_at = NULL, delivery_error = 'InternalError: no'"); return {}; }],
  ['PCW3308', 'dead letters that the loop guard holds', (here) => { here.sql('UPDATE dead_letters SET failed_replays = 3'); return {}; }],
]) {
  test(`${code}: ${title}`, async () => {
    const here = await withLetters('pcw-dlq');
    assert.ok(!codes(await doctor(here)).includes(code));
    const extra = await prepare(here);
    const findings = await doctor(here, extra);
    await sim.post('/_sim/account', {});
    assert.ok(codes(findings).includes(code), JSON.stringify(findings));
  });
}
