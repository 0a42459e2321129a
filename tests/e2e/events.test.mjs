// Events of Partner Central through SQS: a change is in the table without a sweep; what no event told of, a sweep brings and counts.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Postgres, Sim, site, differences, brokenRuns, ACCESS_KEY, SECRET_KEY, NO_QUOTA } from './harness.mjs';
import { Service, until } from './service.mjs';

const exec = promisify(execFile);
const ACCOUNT = '123456789012';
const FULL = ['sync', 'run', 'partner-central', 'all', '--mode', 'full'];
const SWEEP = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'incremental'];

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const sample = (name) => JSON.parse(readFileSync(new URL(`../fixtures/eventbridge/${name}.json`, import.meta.url), 'utf8'));

/** A synced site that listens to the simulator's events; `roles` of the service leave the schedule out: no sweep can bring a change. */
async function withEvents(body, { rule = {}, env = {}, entities = 'opportunities', args = [], mayFail = false } = {}) {
  const sim = await Sim.start(['--opportunities', '40', '--seed', '3', '--no-quota', ...args]);
  const here = await site(postgres, sim, {
    ...NO_QUOTA, PCW_EVENTS_URL: `${sim.url}/${ACCOUNT}/pcw-events`, PCW_EVENTS_WAIT: '1s', PCW_EVENTS_GRACE: '1s', PCW_SERVICE_LEASE: '2s',
    PCW_SYNC_LAG: '1s', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: entities, ...env,
  });
  const started = [];
  const start = async (roles = 'ingest,events', more = {}) => {
    const service = await Service.start({ ...here.env, ...more }, ['--roles', roles]);
    started.push(service);
    return service;
  };
  const sendMessage = (text) => exec('aws', ['sqs', 'send-message', '--endpoint-url', sim.url, '--queue-url', here.env.PCW_EVENTS_URL, '--message-body', text], {
    env: { PATH: process.env.PATH, HOME: here.dir, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '' },
  });
  const status = async () => JSON.parse((await here.pcw(['events', 'status', '-o', 'json'])).stdout).in;
  try {
    const first = await here.pcw(FULL);
    assert.equal(first.code, 0, first.stderr);
    await sim.post('/_sim/events', { enabled: true, ...rule });
    await body({ sim, here, start, sendMessage, status, until: (query, wanted) => until(here, postgres, query, wanted) });
    for (const service of mayFail ? [] : started) assert.deepEqual(service.lines.filter((line) => line.level === 'ERROR'), []);
  } finally {
    for (const service of started) await service.kill();
    await sim.stop();
  }
}

const LISTENING = 'SELECT count(*) FROM event_inbox';
const NOTHING_WAITS = "SELECT (SELECT count(*) FROM fetch_requests) + (SELECT count(*) FROM jobs WHERE ended_at IS NULL)";
const QUEUE_EMPTY = async (here, sim) => {
  const { stdout } = await exec('aws', ['sqs', 'get-queue-attributes', '--endpoint-url', sim.url, '--queue-url', here.env.PCW_EVENTS_URL, '--attribute-names', 'All', '--output', 'json'], {
    env: { PATH: process.env.PATH, HOME: here.dir, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '' },
  });
  const { Attributes } = JSON.parse(stdout);
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
};

test('a change is in the table without a sweep, once however often its event comes', () => withEvents(async ({ sim, here, start, until, status }) => {
  const service = await start();
  await until(LISTENING, (n) => n === '1');
  await sim.resetCalls();

  const modified = await sim.modify({ count: 5 });
  const inserted = await sim.insert({ count: 2 });
  const changed = [...modified.ids, ...inserted.ids];
  await until(`SELECT count(DISTINCT record_key) FROM partner_events`, (n) => n === '7');
  await until(NOTHING_WAITS, (n) => n === '0');

  assert.deepEqual(await differences(here, sim), []);
  const calls = (await sim.calls()).filter((call) => call.operation.startsWith('List') && call.operation.endsWith('Opportunities'));
  assert.deepEqual(calls, [], 'nothing was listed');
  const gets = (await sim.calls()).filter((call) => call.operation === 'GetOpportunity').map((call) => call.identifier);
  assert.deepEqual([...new Set(gets)].sort(), changed.sort());
  assert.equal(here.sql("SELECT DISTINCT mode, trigger, status FROM ingestion_runs WHERE requested_by = 'events'"), 'fetch|event|succeeded');
  assert.equal(brokenRuns(here), '');
  const shown = await status();
  assert.equal(shown.received_24h, 7);
  assert.equal(shown.duplicates_24h, 7, 'every event came twice');
  assert.equal(shown.pending_records, 0);
  assert.ok(shown.fetched_records_24h >= 7);

  // What an event brought is known to the next sweep, and bronze proves it.
  await sim.resetCalls();
  assert.equal((await here.pcw(SWEEP)).code, 0);
  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetOpportunity').length, 0, 'a sweep fetches nothing again');
  assert.equal((await here.pcw(['bronze', 'verify'])).code, 0);
  assert.equal((await here.pcw(['history', 'opportunities', modified.ids[0]])).code, 0);
  assert.equal((await service.stop()).code, 0);
}, { rule: { duplicate: 1 } }));

test('events that never came: the sweep repairs, and the share is told', () => withEvents(async ({ sim, here, start, until, status }) => {
  const service = await start('ingest,events,api');
  const { url } = await service.line((line) => line.msg === 'serving');
  await until(LISTENING, (n) => n === '1');
  const ids = (await sim.modify({ count: 30 })).ids;
  const { dropped, delivered } = await sim.get('/_sim/events');
  assert.equal(dropped + delivered, 30);
  assert.ok(dropped > 0 && dropped < 20, `${dropped} of ${ids.length} were dropped`);
  await until(`SELECT count(*) FROM partner_events`, (n) => n === String(delivered));
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.equal((await differences(here, sim)).length, dropped, 'just those are missing');

  const sweep = await here.pcw(SWEEP);
  assert.equal(sweep.code, 0, sweep.stderr);
  assert.deepEqual(await differences(here, sim), []);
  await until('SELECT count(*) FROM event_checks', (n) => n === '0');
  const shown = await status();
  assert.deepEqual([shown.coverage_24h.missed, shown.coverage_24h.told], [dropped, delivered]);
  assert.equal(Number(shown.coverage_24h.missed_share).toFixed(3), (dropped / 30).toFixed(3));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, new RegExp(`^pcw_events_missed_changes_24h ${dropped}$`, 'm'));
  assert.match(metrics, new RegExp(`^pcw_events_missed_ratio 0\\.${(dropped / 30).toFixed(6).slice(2)}$`, 'm'));
  assert.match(metrics, new RegExp(`^pcw_events_24h\\{outcome="fetch"\\} ${delivered}$`, 'm'));
  const found = JSON.parse((await here.pcw(['doctor', 'events', '-o', 'json'])).stdout).findings;
  assert.deepEqual(found.map((finding) => finding.code), ['PCW3405'], 'more than a few are missing');
  const table = (await here.pcw(['events', 'status'])).stdout;
  assert.match(table, new RegExp(`without event +24 h: ${dropped} of 30 changes`));
  assert.equal((await service.stop()).code, 0);
}, { rule: { drop: 0.2, seed: 5 } }));

test('killed between record and delete: the message comes again and is known', () => withEvents(async ({ sim, here, start, until, status }) => {
  const doomed = await start('ingest,events', { PCW_FAILPOINT: 'events.record.after:1' });
  await until(LISTENING, (n) => n === '1');
  await sim.modify({ count: 3 });
  await doomed.ended;
  assert.equal(doomed.process.signalCode, 'SIGKILL');
  assert.equal(here.sql('SELECT count(*) FROM partner_events'), '3');
  assert.equal(await QUEUE_EMPTY(here, sim), 3, 'nothing was deleted');

  const service = await start();
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.deepEqual(await differences(here, sim), []);
  // The dead process held them for its visibility; a redrive or the end of it brings them back. Here they are simply sent again.
  const event = sample('opportunity-updated');
  const known = here.sql('SELECT event_id, record_key FROM partner_events LIMIT 1').split('|');
  await sim.resetCalls();
  const again = { ...event, id: known[0], detail: { ...event.detail, opportunity: { identifier: known[1] } } };
  await exec('aws', ['sqs', 'send-message', '--endpoint-url', sim.url, '--queue-url', here.env.PCW_EVENTS_URL, '--message-body', JSON.stringify(again)], {
    env: { PATH: process.env.PATH, HOME: here.dir, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '' },
  });
  await until('SELECT sum(deliveries) FROM partner_events', (n) => n === '4');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetOpportunity').length, 0, 'a known event fetches nothing');
  assert.equal((await status()).duplicates_24h, 1);
  assert.equal((await service.stop()).code, 0);
}));

test('leads follow their events; other catalogs and unknown kinds are recorded and left alone', () => withEvents(async ({ sim, here, start, until, sendMessage, status }) => {
  const service = await start();
  await until(LISTENING, (n) => n === '1');
  const invited = here.sql("SELECT lead_id, invitation_id FROM partnercentral_leads WHERE state = 'invited' AND lead_id LIKE 'eng-%' ORDER BY 1").split('\n').map((line) => line.split('|'));
  await sim.post('/_sim/invitations', { ids: [invited[0][1]], status: 'ACCEPTED' });
  await sim.post('/_sim/invitations', { ids: [invited[1][1]], status: 'EXPIRED' });
  const updated = (await sim.modify({ entity: 'leads', count: 1 })).ids[0];
  await sendMessage(JSON.stringify({ ...sample('opportunity-updated'), id: 'sandbox-1', detail: { catalog: 'Sandbox', opportunity: { identifier: 'O1' } } }));
  await sendMessage(JSON.stringify({ ...sample('opportunity-updated'), id: 'new-kind-1', 'detail-type': 'Opportunity Whispered' }));
  await sendMessage(JSON.stringify({ ...sample('engagement-member-added'), id: 'member-1' }));

  await until("SELECT count(*) FROM partner_events", (n) => n === '6');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.equal(here.sql(`SELECT state FROM partnercentral_leads WHERE lead_id = '${invited[0][0]}'`), 'accepted');
  assert.equal(here.sql(`SELECT state FROM partnercentral_leads WHERE lead_id = '${invited[1][0]}'`), 'expired');
  const truth = await sim.get('/_sim/truth?entity=leads');
  assert.equal(here.sql(`SELECT encode(payload_sha256, 'hex') FROM partnercentral_leads WHERE lead_id = '${updated}'`), truth.find((row) => row.id === updated).sha256);
  const shown = await status();
  assert.equal(shown.other_catalog_24h, 1);
  assert.equal(shown.unknown_24h, 1);
  assert.equal(shown.nothing_to_do_24h, 1);
  assert.match(here.sql("SELECT body FROM partner_events WHERE disposition = 'unknown'"), /Opportunity Whispered/);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"), '0');
  assert.equal(await QUEUE_EMPTY(here, sim), 0);
  assert.equal((await service.stop()).code, 0);

  // The list calls a version by its own name; a sweep takes it over and fetches the record no more.
  const leads = ['sync', 'run', 'partner-central', 'leads', '--mode', 'incremental'];
  assert.equal((await here.pcw(leads)).code, 0);
  await sim.resetCalls();
  assert.equal((await here.pcw(leads)).code, 0);
  assert.deepEqual((await sim.calls()).filter((call) => call.operation.startsWith('GetEngagement')).map((call) => call.identifier), []);
}, { entities: 'opportunities,leads' }));

test('a message that is not an event is a dead letter and holds up nobody; its replay takes it as if it had just come', () => withEvents(async ({ sim, here, start, until, sendMessage }) => {
  const service = await start();
  await until(LISTENING, (n) => n === '1');
  const id = (await sim.truth())[0].id;
  await sim.post('/_sim/events', { enabled: false });
  await sim.modify({ ids: [id] });  // an event of this never comes by itself
  const broken = { ...sample('opportunity-updated'), id: 'broken-1', detail: { catalog: 'AWS', opportunity: {} } };
  await sendMessage('no JSON at all');
  await sendMessage(JSON.stringify(broken));
  await sim.post('/_sim/events', { enabled: true });
  await sim.modify({ count: 2 });

  await until("SELECT count(*) FROM dead_letters WHERE stage = 'event' AND entity = 'events' AND state = 'open'", (n) => n === '2');
  await until("SELECT count(*) FROM partner_events", (n) => n === '2');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.equal(await QUEUE_EMPTY(here, sim), 0, 'dead letters leave the queue');

  const letter = here.sql("SELECT id FROM dead_letters WHERE error_context->>'pointer' = '/detail/opportunity/identifier'");
  assert.match((await here.pcw(['dlq', 'show', letter])).stdout, /next +pcw dlq replay --id \S+ --dry-run\n/);
  const dry = await here.pcw(['dlq', 'replay', '--id', letter, '--dry-run']);
  assert.match(dry.stdout, /fails: the message is not an event that can be followed: \/detail\/opportunity\/identifier is missing/);
  assert.equal((await here.pcw(['dlq', 'replay', '--id', letter])).code, 3, 'still open');

  const patch = path.join(here.dir, 'patch.json');
  writeFileSync(patch, JSON.stringify({ detail: { opportunity: { identifier: id } } }));
  const replayed = await here.pcw(['dlq', 'replay', '--id', letter, '--patch', patch]);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  assert.equal(here.sql(`SELECT state FROM dead_letters WHERE id = '${letter}'`), 'settled');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.deepEqual(await differences(here, sim), [], 'and the record was fetched');
  assert.equal((await service.stop()).code, 0);
}));

test('a record that cannot be fetched does not hold up the others', () => withEvents(async ({ sim, here, start, until, sendMessage }) => {
  await sendMessage(JSON.stringify({ ...sample('opportunity-updated'), id: 'ghost-1', detail: { catalog: 'AWS', opportunity: { identifier: 'O999999999' } } }));
  const changed = (await sim.modify({ count: 4 })).ids;
  await sim.faults([{ operation: 'GetOpportunity', kind: 'access_denied', identifier: changed[0] }]);
  const service = await start();
  await until("SELECT count(*) FROM partner_events", (n) => n === '5');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.deepEqual((await differences(here, sim)).map((line) => line.split(':')[0]), [changed[0]], 'all but the denied one');
  assert.deepEqual(here.sql("SELECT record_key, stage, error_code, state FROM dead_letters").split('\n').sort(), [`${changed[0]}|fetch|permission_denied|open`, 'O999999999|fetch|not_found|open'].sort());
  assert.equal(here.sql("SELECT status FROM ingestion_runs WHERE mode = 'fetch'"), 'partial');

  // A sweep that gets it settles its dead letter.
  await sim.faults([]);
  assert.equal((await here.pcw(SWEEP)).code, 0);
  assert.equal(here.sql("SELECT state FROM dead_letters WHERE error_code = 'permission_denied'"), 'settled');
  assert.equal((await service.stop()).code, 0);
}));

test('when every record is denied the run fails, its records wait, and nothing is lost', () => withEvents(async ({ sim, here, start, until }) => {
  await sim.post('/_sim/account', { denied_actions: ['partnercentral:GetOpportunity'] });
  const service = await start();
  await until(LISTENING, (n) => n === '1');
  await sim.modify({ count: 2 });
  await until("SELECT count(*) FROM ingestion_runs WHERE mode = 'fetch' AND status = 'failed' AND error_code = 'permission_denied'", (n) => n === '1');
  await until("SELECT count(*) FROM fetch_requests WHERE not_before > now() + interval '4 minutes'", (n) => n === '2');
  assert.equal(here.sql('SELECT count(*) FROM dead_letters'), '0');
  await sim.post('/_sim/account', {});
  here.sql('UPDATE fetch_requests SET not_before = now()');
  await until('SELECT count(*) FROM fetch_requests', (n) => n === '0');
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.deepEqual(await differences(here, sim), []);
  assert.equal((await service.stop()).code, 0);
}, { mayFail: true }));

for (const [code, title, more] of [
  ['PCW3401', 'a queue that does not exist', (sim) => ({ PCW_EVENTS_URL: `${sim.url}/${ACCOUNT}/no-such-queue` })],
  ['PCW3402', 'a queue that is denied', async (sim) => { await sim.post('/_sim/account', { denied_actions: ['sqs:GetQueueAttributes'] }); return {}; }],
  ['PCW3403', 'an endpoint where nobody answers', () => ({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' })],
  ['PCW3404', 'nobody who listens', () => ({})],
]) {
  test(`${code}: ${title}`, () => withEvents(async ({ sim, here }) => {
    const done = await here.pcw(['doctor', 'events', '-o', 'json'], await more(sim));
    const findings = JSON.parse(done.stdout).findings;
    assert.deepEqual(findings.map((finding) => finding.code), [code], done.stdout);
    assert.ok(findings[0].next_steps.length > 0);
  }));
}

test('while a sweep is at work events wait, and are fetched after it', () => withEvents(async ({ sim, here, start, until }) => {
  const service = await start('ingest,events,api');
  await until(LISTENING, (n) => n === '1');
  const all = (await sim.truth()).map((row) => row.id);
  await sim.modify({ ids: all });  // work for a sweep of some seconds
  await until("SELECT count(*) FROM ingestion_runs WHERE mode = 'fetch'", (n) => Number(n) >= 1);
  const sweep = here.pcw(SWEEP);
  await sim.modify({ ids: all.slice(0, 3) });
  assert.ok([0, 1].includes((await sweep).code), 'the one or the other holds the lease');
  await until(`SELECT count(*) FROM partner_events`, (n) => Number(n) === 43);
  await until(NOTHING_WAITS, (n) => n === '0');
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
  assert.equal((await service.stop()).code, 0);
}, { args: ['--latency', '20'], env: { PCW_CONNECTORS_PARTNER_CENTRAL_MAX_IN_FLIGHT: '1' } }));

test('events of one queue for dead letters too are refused', () => withEvents(async ({ here }) => {
  const checked = await here.pcw(['config', 'check'], { PCW_DLQ_URL: here.env.PCW_EVENTS_URL });
  assert.equal(checked.code, 78);
  assert.match(checked.stderr + checked.stdout, /events and dead letters need a queue each/);
}));
