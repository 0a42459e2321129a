// Dead letters in SQS (runbook 3.3): the aws command line sees them, nothing is lost or done twice (I23 to I26).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Service } from './service.mjs';
import { Postgres, Sim, site, ACCESS_KEY, SECRET_KEY, NO_QUOTA } from './harness.mjs';

const exec = promisify(execFile);
const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const COUNT = 60;
const ACCOUNT = '123456789012';

let postgres;
let sim;
let queues = 0;

before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(COUNT), '--seed', '11', '--no-quota']);
});

after(async () => {
  await sim.stop();
  await postgres.stop();
});

const awsEnv = (here) => ({
  PATH: process.env.PATH, HOME: here.dir, AWS_ENDPOINT_URL: sim.url, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '',
});

async function aws(here, ...args) {
  const { stdout } = await exec('aws', ['sqs', '--endpoint-url', sim.url, ...args, '--output', 'json'], { env: awsEnv(here), maxBuffer: 1 << 26 });
  return stdout.trim() ? JSON.parse(stdout) : {};
}

/** A site with a queue of its own and dead letters of every record. */
async function withLetters() {
  const name = `dlq-${++queues}`;
  const url = `${sim.url}/${ACCOUNT}/${name}`;
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0', PCW_DLQ_URL: url });
  await aws(here, 'create-queue', '--queue-name', name, '--attributes', 'MessageRetentionPeriod=1209600,VisibilityTimeout=30');
  const dir = path.join(here.dir, 'mappings');
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  writeFileSync(path.join(dir, 'opportunities.yaml'), text.replace(/^version: \d+/m, 'version: 1').replace(
    'closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text }',
    'closed_lost_reason:             { from: /LifeCycle/NoSuchMember, type: text, required: true }'));
  const broken = { PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: dir };
  return { here, url, broken };
}

async function depth(here, url) {
  const { Attributes } = await aws(here, 'get-queue-attributes', '--queue-url', url, '--attribute-names', 'All');
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

test('runbook 3.3 as it stands: the aws command line shows what failed, and the script replays it', async () => {
  const { here, url, broken } = await withLetters();
  const done = await here.pcw(SYNC, broken);
  assert.equal(done.code, 3, done.stderr);
  assert.equal(done.stderr.includes('not delivered'), false, done.stderr);
  assert.equal(await depth(here, url), COUNT);

  const { Messages } = await aws(here, 'receive-message', '--queue-url', url, '--max-number-of-messages', '10', '--attribute-names', 'All',
    '--message-attribute-names', 'All', '--visibility-timeout', '0');
  assert.equal(Messages.length, 10);
  const letter = JSON.parse(Messages[0].Body);
  assert.equal(letter.kind, 'pcw.dead_letter');
  assert.equal(letter.entity, 'opportunities');
  assert.match(letter.bronze_key, /^bronze\/partnercentral\/opportunities\//);
  assert.match(letter.next, /^pcw dlq show /);
  assert.equal(letter.payload, undefined);
  assert.equal(Messages[0].Attributes.ApproximateReceiveCount, '1');
  assert.equal(Messages[0].MessageAttributes.stage.StringValue, 'map');
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE delivered_at IS NOT NULL AND expires_at BETWEEN now() + interval '13 days' AND now() + interval '14 days'"), String(COUNT));

  const script = fileURLToPath(new URL('../../platform/scripts/replay-dlq.py', import.meta.url));
  const env = { PATH: process.env.PATH, PCW_BIN: process.env.PCW_BIN, ...here.env };
  const shown = await exec('python3', [script, '--all'], { env });
  assert.match(shown.stdout, /new row/);
  assert.equal(await depth(here, url), COUNT);
  const replayed = await exec('python3', [script, '--all', '--expect', String(COUNT), '--yes'], { env });
  assert.match(replayed.stdout, /60 settled/);
  assert.equal(await depth(here, url), 0);
});

test('messages go only after their dead letter is settled, wherever the process dies', async () => {
  const { here, url, broken } = await withLetters();
  const killed = await here.pcw(SYNC, { ...broken, PCW_FAILPOINT: 'dlq.send.after:2' });
  assert.equal(killed.signal, 'SIGKILL');
  assert.equal(await depth(here, url), 20);  // the second ten without a dead letter that knows of it
  const delivered = JSON.parse((await here.pcw(['dlq', 'deliver', '-o', 'json'])).stdout);
  assert.deepEqual([delivered.waiting, delivered.sent, delivered.removed], [0, COUNT - 10, 10], 'ten were sent twice; of two messages of a dead letter one stays');
  assert.equal(await depth(here, url), COUNT);
  assert.equal((await here.pcw(['dlq', 'deliver', '-o', 'json'])).code, 0);
  assert.equal(await depth(here, url), COUNT);

  const before = await here.pcw(['dlq', 'replay', '--all'], { PCW_FAILPOINT: 'dlq.delete.before:1' });
  assert.equal(before.signal, 'SIGKILL');
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"), '0');
  const state = here.sql('SELECT count(*), max(updated_at) FROM partnercentral_opportunities');
  assert.equal(await depth(here, url), COUNT);
  // What the dead process held stays hidden until its visibility ends; a shorter wait is asked for by nobody.
  assert.equal((await here.pcw(['dlq', 'replay', '--all'])).code, 0);
  assert.equal(await depth(here, url), 10);
  assert.equal(here.sql('SELECT count(*), max(updated_at) FROM partnercentral_opportunities'), state);
});

test('messages stay hidden while a pass works, however long it takes', async () => {
  const { here, url, broken } = await withLetters();
  assert.equal((await here.pcw(SYNC, broken)).code, 3);
  await aws(here, 'send-message', '--queue-url', url, '--message-body', 'a reason to look through the queue');
  await sim.faults([{ operation: 'ReceiveMessage', kind: 'delay', ms: 600 }]);
  const done = await here.pcw(['dlq', 'deliver', '-o', 'json'], { PCW_DLQ_VISIBILITY: '3s' });
  await sim.faults([]);
  assert.equal(done.code, 0, done.stderr);

  const report = JSON.parse(done.stdout);
  assert.ok(report.extended >= 10, done.stdout);  // seven receives of ten took longer than the visibility
  // The simulator counts receives: none of the messages came to this pass a second time.
  const { Messages } = await aws(here, 'receive-message', '--queue-url', url, '--max-number-of-messages', '10', '--attribute-names', 'All', '--visibility-timeout', '0');
  assert.deepEqual([...new Set(Messages.map((message) => message.Attributes.ApproximateReceiveCount))], ['2']);
});

test('duplicates, reordering, entries that fail, receives that return nothing', async () => {
  const { here, url, broken } = await withLetters();
  await sim.faults([{ operation: 'SendMessageBatch', kind: 'sqs_batch_failure', n: 3, at: [1, 3] }]);
  const done = await here.pcw(SYNC, broken);
  assert.equal(done.code, 3, done.stderr);
  await sim.faults([]);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE delivery_error LIKE 'InternalError%'"), '6');
  assert.equal(JSON.parse((await here.pcw(['dlq', 'deliver', '-o', 'json'])).stdout).sent, 6);
  assert.equal(await depth(here, url), COUNT);
  await sim.faults([
    { operation: 'ReceiveMessage', kind: 'sqs_duplicate', rate: 0.2 },
    { operation: 'ReceiveMessage', kind: 'sqs_reorder', rate: 0.5 },
    { operation: 'ReceiveMessage', kind: 'sqs_empty_receive', at: [2, 5] },
    { operation: 'DeleteMessageBatch', kind: 'sqs_batch_failure', n: 2, at: [1] },
    { operation: 'ReceiveMessage', kind: 'throttle', at: [3] },
  ]);
  const replayed = await here.pcw(['dlq', 'replay', '--all']);
  await sim.faults([]);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"), '0');
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
  assert.ok((await depth(here, url)) <= 2);  // those whose delete failed, hidden until they come again
});

test('what is not ours is taken in with its reason, kept as it is, and delays nothing (I25)', async () => {
  const { here, url, broken } = await withLetters();
  await here.pcw(SYNC, broken);
  const tenant = '00000000-0000-0000-0000-000000000001';
  const unknown = '01a20000-0000-7000-8000-000000000000';
  const poison = {
    not_json: 'not JSON at all',
    not_an_envelope: '{"type":"Opportunity Updated"}',
    no_version: JSON.stringify({ kind: 'pcw.dead_letter', tenant }),
    future_version: JSON.stringify({ kind: 'pcw.dead_letter', version: 99, tenant, letter_id: unknown }),
    other_tenant: JSON.stringify({ kind: 'pcw.dead_letter', version: 1, tenant: unknown, letter_id: unknown }),
    no_letter: JSON.stringify({ kind: 'pcw.dead_letter', version: 1, tenant, letter_id: "x'; DROP TABLE dead_letters" }),
    unknown_letter: JSON.stringify({ kind: 'pcw.dead_letter', version: 1, tenant, letter_id: unknown }),
  };
  for (const body of Object.values(poison)) await aws(here, 'send-message', '--queue-url', url, '--message-body', body);
  const big = path.join(here.dir, 'big.txt');
  writeFileSync(big, 'x'.repeat(256 * 1024));
  await aws(here, 'send-message', '--queue-url', url, '--message-body', `file://${big}`);

  const replayed = await here.pcw(['dlq', 'replay', '--stage', 'map']);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
  const taken = here.sql("SELECT error_context ->> 'reason', length(original) FROM dead_letters WHERE stage = 'event' ORDER BY 1, 2").split('\n');
  assert.deepEqual(taken.map((line) => line.split('|')[0]).sort(), [...Object.keys(poison), 'not_json'].sort());
  assert.ok(taken.includes(`not_json|${256 * 1024}`));
  for (let i = 0; i < 2; ++i) await here.pcw(['dlq', 'deliver']);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE stage = 'event'"), '8');
  assert.equal(await depth(here, url), 8);

  const dropped = await here.pcw(['dlq', 'drop', '--stage', 'event', '--expect', '8', '--reason', 'poison of a test', '-o', 'json']);
  assert.equal(dropped.code, 0, dropped.stderr);
  assert.equal(await depth(here, url), 0);
});

test('a message that SQS itself moved from an event queue is taken in, with the time it was first sent', async () => {
  const { here, url } = await withLetters();
  const synced = await here.pcw(SYNC);
  assert.equal(synced.code, 0, synced.stderr);
  const { Attributes } = await aws(here, 'get-queue-attributes', '--queue-url', url, '--attribute-names', 'QueueArn');
  const policy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 1 });
  const { QueueUrl } = await aws(here, 'create-queue', '--queue-name', `events-${queues}`, '--attributes', JSON.stringify({ RedrivePolicy: policy, VisibilityTimeout: '0' }));
  const sent = await aws(here, 'send-message', '--queue-url', QueueUrl, '--message-body', '{"detail-type":"Opportunity Created"}');
  await aws(here, 'receive-message', '--queue-url', QueueUrl);
  assert.deepEqual(await aws(here, 'receive-message', '--queue-url', QueueUrl), {});

  assert.equal(JSON.parse((await here.pcw(['dlq', 'deliver', '-o', 'json'])).stdout).received, 1);

  assert.equal(here.sql('SELECT record_key, message_id FROM dead_letters'), `${sent.MessageId}|${sent.MessageId}`);
  // Its age counts from when it was first sent, before the receive that made SQS move it.
  assert.equal(here.sql("SELECT sent_at < first_seen_at AND expires_at = sent_at + interval '14 days' FROM dead_letters"), 't');
  const listed = JSON.parse((await here.pcw(['dlq', 'list', '-o', 'json'])).stdout);
  assert.equal(listed[0].stage, 'event');
});

test('a queue that is not there or denied costs a warning, not the run; the next pass delivers', async () => {
  const { here, url, broken } = await withLetters();
  const missing = await here.pcw(SYNC, { ...broken, PCW_DLQ_URL: `${sim.url}/${ACCOUNT}/no-such-queue` });
  assert.equal(missing.code, 3, missing.stderr);
  assert.match(missing.stderr, /not delivered to SQS/);
  await sim.post('/_sim/account', { denied_actions: ['sqs:SendMessage'] });
  const denied = await here.pcw(['dlq', 'deliver']);
  assert.equal(denied.code, 4, denied.stderr);
  await sim.post('/_sim/account', {});
  assert.equal(JSON.parse((await here.pcw(['dlq', 'deliver', '-o', 'json'])).stdout).sent, COUNT);
  assert.equal(await depth(here, url), COUNT);
});

test('without a configured endpoint only hosts of AWS are asked', async () => {
  const { here, url } = await withLetters();
  for (const bad of ['http://169.254.169.254/123456789012/q', 'https://evilamazonaws.com/1/q', 'https://sqs.us-east-1.amazonaws.com.evil.test/1/q', url]) {
    const refused = await here.pcw(['dlq', 'deliver'], { PCW_DLQ_URL: bad, AWS_ENDPOINT_URL: '' });
    assert.equal(refused.code, 78, `${bad}: ${refused.code} ${refused.stderr}`);
  }
});

test('the role replay of the service delivers what a sync without a queue has kept', async () => {
  const { here, url, broken } = await withLetters();
  assert.equal((await here.pcw(SYNC, { ...broken, PCW_DLQ_URL: '' })).code, 3);
  assert.equal(await depth(here, url), 0);

  const service = await Service.start({ ...here.env, PCW_DLQ_AUTO_REPLAY: 'false' }, ['--roles', 'replay']);
  try {
    const give_up = Date.now() + 60_000;
    while (Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open' AND delivered_at IS NULL")) > 0) assert.ok(Date.now() < give_up, 'nothing is delivered');
    assert.equal(await depth(here, url), COUNT);
  } finally {
    assert.equal((await service.stop()).code, 0);
  }
});
