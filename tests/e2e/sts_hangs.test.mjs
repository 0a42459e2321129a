// An STS that takes connections and says nothing: no GET waits for it longer than two seconds.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';
import { Service } from './api_service.mjs';

const HANG = [{ operation: 'GetCallerIdentity', kind: 'stall' }];
const MOST_MS = 2_000;

let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '5', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

async function timed(service, route) {
  const began = performance.now();
  const answer = await service.get(route);
  const ms = performance.now() - began;
  assert.ok(ms < MOST_MS, `${route}: ${answer.status} after ${ms.toFixed(0)} ms`);
  return answer;
}

test('from the start: quota and diagnosis are not known yet, and everything else answers', async () => {
  await sim.faults(HANG);
  const service = await Service.start(await site(postgres, sim, NO_QUOTA));
  try {
    // More than there are threads: who waits for AWS keeps nobody else waiting.
    const answers = await Promise.all(['/v1/quota', '/v1/quota', '/v1/doctor', '/v1/doctor', '/metrics', '/v1/quota', '/v1/runs', '/v1/connectors', '/healthz', '/readyz'].map((route) => timed(service, route)));
    assert.deepEqual(answers.map((answer) => answer.status), [503, 503, 503, 503, 200, 503, 200, 200, 200, 503]);
    assert.deepEqual([answers[0].json.code, answers[2].json.code], ['not_known_yet', 'not_known_yet']);
    assert.ok(Number(answers[0].headers['retry-after']) >= 1);
    // The first look at the database may end after the first question.
    const give_up = Date.now() + 10_000;
    let ready = answers[9];
    while (ready.json.components.database !== 'ok' && Date.now() < give_up) ready = await timed(service, '/readyz');
    assert.equal(ready.json.components.database, 'ok', 'a component that hangs says nothing about the others');
  } finally {
    await sim.faults([]);
    assert.equal(await service.stop(), 0);
  }
});

test('what AWS told before holds, with its age', async () => {
  const service = await Service.start(await site(postgres, sim, NO_QUOTA));
  try {
    let quota;
    do quota = await timed(service, '/v1/quota'); while (quota.status === 503);
    await sim.faults(HANG);
    quota = await timed(service, '/v1/quota');
    assert.deepEqual([quota.status, quota.json.items[0].aws_account_id], [200, '123456789012']);
    assert.ok(quota.json.account_age_seconds <= 60);
  } finally {
    await sim.faults([]);
    assert.equal(await service.stop(), 0);
  }
});

test('a configured account needs no word of STS for its quota', async () => {
  await sim.faults(HANG);
  const service = await Service.start(await site(postgres, sim, { ...NO_QUOTA, PCW_AWS_ACCOUNT_ID: '123456789012' }));
  try {
    assert.equal((await timed(service, '/v1/quota')).status, 200);
  } finally {
    await sim.faults([]);
    assert.equal(await service.stop(), 0);
  }
});
