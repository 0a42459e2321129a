// Dead letters (runbook 3.3): nothing dropped, everything explained, replay that is safe to press (I23 to I26).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { takeFirstToken } from './api_service.mjs';
import { Service, until } from './service.mjs';
import { Postgres, Sim, site, brokenRuns, lastStats, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const COUNT = 60;

let postgres;
let sim;

before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(COUNT), '--seed', '11', '--no-quota']);
});

after(async () => {
  await sim.stop();
  await postgres.stop();
});

/** A mapping that asks for a member which no record has. */
function breakMapping(here, version) {
  const dir = path.join(here.dir, `mappings-${version}`);
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const good = 'closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text }';
  assert.ok(text.includes(good));
  writeFileSync(path.join(dir, 'opportunities.yaml'),
    text.replace(/version: \d+/, `version: ${version}`).replace(good, 'closed_lost_reason:             { from: /LifeCycle/NoSuchMember, type: text, required: true }'));
  return { PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: dir };
}

const open = (here) => Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"));
const json = (done) => JSON.parse(done.stdout);

/** A site whose records lie in bronze, some of them as dead letters: their required column is missing in the mapping. */
async function withLetters(share = 3) {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
  await sim.faults([{ operation: 'GetOpportunity', kind: 'bad_record', variant: 'missing_modified', every: share }]);
  const done = await here.pcw(SYNC);
  await sim.faults([]);
  assert.equal(done.code, 3, done.stderr);
  return here;
}

test('groups, show, dry run and replay of dead letters that the mapping refuses', async () => {
  const here = await withLetters();
  const letters = open(here);
  assert.ok(letters > 10);

  const groups = json(await here.pcw(['dlq', 'groups', '-o', 'json']));
  assert.equal(groups.reduce((sum, group) => sum + group.letters, 0), letters);
  assert.equal(groups[0].owner, 'Data engineering');

  const shown = json(await here.pcw(['dlq', 'show', groups[0].sample_id, '-o', 'json']));
  assert.equal(shown.group, groups[0].group);
  assert.ok(shown.payload, JSON.stringify(shown));
  assert.ok(!JSON.stringify(shown.payload).includes('@'));
  assert.ok(shown.lineage.request_id);

  const before = here.sql('SELECT count(*), max(updated_at) FROM partnercentral_opportunities');
  const dry = json(await here.pcw(['dlq', 'replay', '--all', '--dry-run', '-o', 'json']));
  assert.equal(dry.runs[0].records.length, letters);
  assert.ok(dry.runs[0].records.every((record) => record.fate === 'fails' && record.error));
  assert.equal(here.sql('SELECT count(*), max(updated_at) FROM partnercentral_opportunities'), before);
  assert.equal(here.sql("SELECT count(*) FROM ingestion_runs WHERE mode = 'replay'"), '0');

  const refused = await here.pcw(['dlq', 'replay', '--all', '--expect', String(letters + 1)]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing is replayed/);

  // The loop guard: after three times the same error it is left alone, and says why.
  for (let i = 0; i < 3; ++i) {
    const again = await here.pcw(['dlq', 'replay', '--all', '-o', 'json']);
    assert.equal(again.code, 3, again.stderr);
    assert.equal(json(again).still_open, letters);
  }
  const guarded = json(await here.pcw(['dlq', 'replay', '--all', '-o', 'json']));
  assert.equal(guarded.left_alone, letters);
  assert.match(guarded.examples_left_alone[0].reason, /same error/);
  assert.equal(json(await here.pcw(['dlq', 'replay', '--all', '--force', '-o', 'json'])).still_open, letters);
  assert.equal(json(await here.pcw(['dlq', 'replay', '--all', '--again', '-o', 'json'])).still_open, letters, 'the earlier name of --force');
  assert.equal(brokenRuns(here), '');
});

test('an edit is kept beside the record, lands it, and is in its history', async () => {
  const here = await withLetters();
  const letters = open(here);
  const sample = json(await here.pcw(['dlq', 'list', '--limit', '1', '-o', 'json']))[0];
  const good = here.sql('SELECT payload_json FROM partnercentral_opportunities LIMIT 1');
  const file = path.join(here.dir, 'fix.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(good), Id: sample.record_key }));
  const done = await here.pcw(['dlq', 'replay', '--id', sample.id, '--patch', file, '-o', 'json']);
  assert.equal(done.code, 0, done.stderr + done.stdout);
  assert.equal(open(here), letters - 1);
  assert.equal(here.sql(`SELECT count(*) FROM partnercentral_opportunities WHERE pc_opportunity_id = '${sample.record_key}'`), '1');
  const shown = json(await here.pcw(['dlq', 'show', sample.id, '-o', 'json']));
  assert.deepEqual(shown.history.map((event) => event.event), ['patched', 'replayed']);
  assert.equal(lastStats(here).dead_lettered, 0);

  const dropped = await here.pcw(['dlq', 'drop', '--all', '--reason', 'test records', '--expect', String(letters - 1), '-o', 'json']);
  assert.equal(dropped.code, 0, dropped.stderr);
  assert.equal(open(here), 0);
  assert.equal((await here.pcw(['dlq', 'drop', '--all'])).code, 64);
});

test('a mapping that changes: --auto replays what succeeds by now, n times equals once', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
  const broken = breakMapping(here, 1);
  const synced = await here.pcw(SYNC, broken);
  assert.equal(synced.code, 3, synced.stderr);
  assert.equal(open(here), COUNT);
  const nothing = await here.pcw(['dlq', 'replay', '--auto', '-o', 'json'], broken);
  assert.equal(nothing.code, 3);
  assert.equal(open(here), COUNT);

  const dry = json(await here.pcw(['dlq', 'replay', '--all', '--dry-run', '-o', 'json']));
  assert.ok(dry.runs[0].records.every((record) => record.fate === 'new row'));
  const auto = await here.pcw(['dlq', 'replay', '--auto', '-o', 'json']);
  assert.equal(auto.code, 0, auto.stderr);
  assert.equal(open(here), 0);
  const state = here.sql('SELECT count(*), max(updated_at), max(xmin::text::bigint) FROM partnercentral_opportunities');
  assert.match(state, new RegExp(`^${COUNT}\\|`));
  for (let i = 0; i < 2; ++i) assert.equal((await here.pcw(['dlq', 'replay', '--all'])).code, 0);
  here.sql("UPDATE dead_letters SET state = 'open', settled_at = NULL");
  assert.equal((await here.pcw(['dlq', 'replay', '--all'])).code, 0);
  assert.equal(here.sql('SELECT count(*), max(updated_at), max(xmin::text::bigint) FROM partnercentral_opportunities'), state);
  assert.equal(here.sql("SELECT DISTINCT mode || ' ' || status FROM ingestion_runs WHERE mode = 'replay'"), 'replay succeeded');
});

test('a replay that is killed goes on where it was', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
  await here.pcw(SYNC, breakMapping(here, 1));
  for (const point of ['reingest.batch.before', 'reingest.commit.before', 'reingest.commit.after']) {
    const killed = await here.pcw(['dlq', 'replay', '--all'], { PCW_FAILPOINT: `${point}:1` });
    assert.equal(killed.signal, 'SIGKILL', point);
  }
  assert.equal((await here.pcw(['dlq', 'replay', '--all'])).code, 0);
  assert.equal(open(here), 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
});

test('--resume takes what a killed replay did not come to, and nothing else', async () => {
  const many = await Sim.start(['--opportunities', '1200', '--seed', '12', '--no-quota']);
  try {
    const here = await site(postgres, many, { ...NO_QUOTA, PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
    await many.faults([{ operation: 'GetOpportunity', kind: 'bad_record', variant: 'missing_modified', every: 10 }]);
    assert.equal((await here.pcw(SYNC, breakMapping(here, 1))).code, 3);
    assert.equal(open(here), 1200);
    const killed = await here.pcw(['dlq', 'replay', '--all'], { PCW_FAILPOINT: 'reingest.commit.after:1' });
    assert.equal(killed.signal, 'SIGKILL');
    // A dead letter that was tried again says so; the others are what is left.
    const left = Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open' AND attempts = 1"));
    const failed = Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open' AND attempts > 1"));
    assert.ok(left > 500 && failed > 20, `${left} left, ${failed} failed again`);
    // Others, of which that replay knows nothing.
    here.sql("UPDATE dead_letters SET state = 'open', settled_at = NULL, replay_run = NULL WHERE id IN (SELECT id FROM dead_letters WHERE state = 'settled' LIMIT 7)");

    const run = here.sql("SELECT id FROM ingestion_runs WHERE mode = 'replay'");
    const resumed = await here.pcw(['dlq', 'replay', '--resume', run, '-o', 'json']);
    assert.equal(resumed.code, 3, resumed.stderr);
    const report = json(resumed);
    assert.equal(report.chosen, left);
    assert.equal(open(here), failed + 7 + report.still_open);
    // It goes on from the second one's run as well: nothing is left of it.
    assert.equal(json(await here.pcw(['dlq', 'replay', '--resume', report.replay_id, '-o', 'json'])).chosen, 0);
    const unknown = await here.pcw(['dlq', 'replay', '--resume', '01a20000-0000-7000-8000-000000000000']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /not a replay/);
  } finally {
    await many.stop();
  }
});

test('one dead letter that cannot succeed delays no other, and is left alone in the end (I25)', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
  const ids = (await sim.truth()).map((row) => row.id);
  const poison = { refused: ids[3], missing: ids[4] };
  await sim.faults([
    { operation: 'GetOpportunity', kind: 'bad_record', variant: 'nul_in_string', identifier: poison.refused },
    { operation: 'GetOpportunity', kind: 'not_found', identifier: [poison.missing, ids[5], ids[6]] },
  ]);
  assert.equal((await here.pcw(SYNC, breakMapping(here, 1))).code, 3);
  assert.equal(open(here), COUNT);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE stage = 'fetch'"), '3');

  // AWS has no answer for one of them, and it is the first that is asked for.
  here.sql(`UPDATE dead_letters SET id = '00000000-0000-7000-8000-000000000000' WHERE record_key = '${poison.missing}'`);
  await sim.faults([{ operation: 'GetOpportunity', kind: 'error', status: 500, identifier: poison.missing }]);
  const replayed = await here.pcw(['dlq', 'replay', '--all', '--refetch', '-o', 'json']);
  assert.equal(replayed.code, 3, replayed.stderr);
  const still = here.sql("SELECT DISTINCT record_key FROM dead_letters WHERE state = 'open' ORDER BY 1").split('\n');
  assert.deepEqual(still, Object.values(poison).sort());
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT - 2));

  for (let i = 0; i < 2; ++i) assert.equal((await here.pcw(['dlq', 'replay', '--all', '--refetch'])).code, 3);
  await sim.resetCalls();
  const alone = json(await here.pcw(['dlq', 'replay', '--all', '--refetch', '-o', 'json']));
  await sim.faults([]);
  assert.deepEqual([alone.chosen, alone.left_alone], [2, 2]);
  assert.equal((await sim.calls()).filter((call) => call.operation === 'GetOpportunity').length, 0);
});

test('AWS out of order: ten failures in a row end a refetch; what came before is kept', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_FETCH_FAILURE_PERCENT: '0' });
  await sim.faults([{ operation: 'GetOpportunity', kind: 'not_found' }]);
  assert.equal((await here.pcw(SYNC)).code, 3);
  assert.equal(open(here), COUNT);
  // Twenty good answers first.
  const order = here.sql('SELECT record_key FROM dead_letters ORDER BY id').split('\n');
  await sim.faults([{ operation: 'GetOpportunity', kind: 'error', status: 500, identifier: order.slice(20) }]);
  const stopped = await here.pcw(['dlq', 'replay', '--all', '--refetch', '-o', 'json'], {}, { deadline: 300_000 });
  await sim.faults([]);
  assert.equal(stopped.code, 69, stopped.stderr);
  assert.equal(json(stopped).settled, 20);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '20');
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE failed_replays = 1"), '10');
  assert.equal((await here.pcw(['dlq', 'replay', '--all', '--refetch'])).code, 0);
  assert.equal((await here.pcw(['bronze', 'verify'])).code, 0);
});

test('stop the line: a run of whose records AWS gives few ends with one finding instead of dead letters', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_WINDOW: '20' });
  await sim.faults([{ operation: 'GetOpportunity', kind: 'not_found', rate: 0.8, by: 'record' }]);
  await sim.resetCalls();
  const stopped = await here.pcw(SYNC);
  assert.equal(stopped.code, 1, stopped.stderr);
  assert.match(stopped.stderr, /of the last 20 records, more than sync\.stop_at_fetch_failure_percent \(50\)/);
  assert.equal(open(here), 0);
  assert.deepEqual([lastStats(here).reason, lastStats(here).resumable], ['too_many_fetch_failures', true]);
  assert.equal(brokenRuns(here), '');
  const findings = json(await here.pcw(['doctor', 'partner-central', '-o', 'json'])).findings.filter((finding) => JSON.stringify(finding).includes('too_many_fetch_failures'));
  assert.deepEqual(findings.map((finding) => finding.code), ['PCW2101']);

  // Whoever wants the dead letters gets them.
  const wanted = await here.pcw(SYNC, { PCW_SYNC_STOP_AT_FETCH_FAILURE_PERCENT: '0' });
  assert.equal(wanted.code, 3, wanted.stderr);
  assert.ok(open(here) > 30);
  await sim.faults([]);
});

test('the service replays what a changed mapping has fixed, tries once what it has not', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20', PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
  assert.equal((await here.pcw(SYNC, breakMapping(here, 90))).code, 3);
  const during = async (env, query, wanted) => {
    const service = await Service.start({ ...here.env, ...env }, ['--roles', 'replay']);
    try {
      return await until(here, postgres, query, wanted);
    } finally {
      assert.equal((await service.stop()).code, 0);
    }
  };
  const tried = 'SELECT mapping_version, outcome FROM dead_letter_trials WHERE outcome IS NOT NULL ORDER BY 1';
  const failed = await during(breakMapping(here, 91), tried, (text) => text !== '');
  assert.match(failed, /^91\|fails: /);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open' AND attempts = 1 AND failed_replays = 0"), String(COUNT), 'a trial has no effect');

  // A newer version: an older one than the rows are made by is refused.
  const fixed = path.join(here.dir, 'mappings-92');
  mkdirSync(fixed, { recursive: true });
  const text = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  writeFileSync(path.join(fixed, 'opportunities.yaml'), text.replace(/^version: \d+/m, 'version: 92'));
  await during({ PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: fixed }, "SELECT count(*) FROM dead_letters WHERE state = 'open'", (text) => text === '0');
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
  assert.equal(here.sql("SELECT DISTINCT actor FROM dead_letter_events WHERE event = 'replayed'"), 'pcw serve: mapping version 92');
  assert.match(here.sql(tried), /92\|replayed: 60 settled, 0 still open/);
});

test('records of which nothing was fetched: --refetch asks AWS, and only then', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20' });
  await sim.faults([{ operation: 'GetOpportunity', kind: 'not_found', rate: 0.1, by: 'record' }]);
  const done = await here.pcw(SYNC);
  assert.equal(done.code, 3, done.stderr);
  const letters = open(here);
  assert.ok(letters > 0);
  const left = json(await here.pcw(['dlq', 'replay', '--all', '-o', 'json']));
  assert.equal(left.left_alone, letters);
  assert.match(left.examples_left_alone[0].reason, /--refetch/);
  await sim.faults([]);
  const refetched = await here.pcw(['dlq', 'replay', '--all', '--refetch', '-o', 'json']);
  assert.equal(refetched.code, 0, refetched.stderr + refetched.stdout);
  assert.equal(open(here), 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
  const verified = await here.pcw(['bronze', 'verify']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});

test('the same over REST: groups, a dry run that changes nothing, a replay that settles', async () => {
  const here = await withLetters();
  const letters = open(here);
  const service = await Service.start(here.env, ['--roles', 'api']);
  try {
    const { url } = await service.line((line) => line.msg === 'serving');
    const token = takeFirstToken((await service.line((line) => line.first_token_file)).first_token_file);
    const ask = async (method, route, body) => {
      const answer = await fetch(url + route, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
      return { status: answer.status, json: await answer.json() };
    };
    const groups = (await ask('GET', '/v1/dlq/groups')).json.items;
    assert.equal(groups.reduce((sum, group) => sum + group.letters, 0), letters);

    for (const body of [{}, { all: true, entity: 'opportunities' }, { all: 'yes' }, { group: '' }, { all: true }, { group: '\u0000ffff' }, { group: '%' }, { group: '______' }, { run: '01' }, { id: '%' }, { run: letters }])
      assert.equal((await ask('POST', '/v1/dlq/replay', body)).status, 400, JSON.stringify(body));
    assert.equal((await ask('POST', '/v1/dlq/replay', { id: '00000000-0000-7000-8000-000000000000' })).status, 404);
    assert.equal((await ask('POST', '/v1/dlq/replay', { all: true, expect: letters + 1 })).status, 409);
    const dry = await ask('POST', '/v1/dlq/replay', { group: groups[0].group, dry_run: true });
    assert.deepEqual([dry.status, dry.json.settled, dry.json.fates.length], [200, 0, groups[0].letters]);
    assert.equal(open(here), letters);

    // What made them fail was the record itself: they fail again, and the answer says so.
    const replayed = await ask('POST', '/v1/dlq/replay', { all: true, expect: letters });
    assert.deepEqual([replayed.status, replayed.json.chosen, replayed.json.settled, replayed.json.still_open], [200, letters, 0, letters]);
    assert.equal(replayed.json.runs.length, 1);

    for (const body of [{ all: true }, { all: true, reason: ' ', expect: letters }, { reason: 'x' }, { reason: 5, all: true, expect: letters }, { reason: 'x', all: true }, { reason: 'x', group: '\u0000ffff' }, { reason: 'x', run: '01' }, { reason: 'x', id: '_' }, { reason: 'a\u0000', all: true, expect: letters }])
      assert.equal((await ask('POST', '/v1/dlq/drop', body)).status, 400, JSON.stringify(body));
    const reason = 'test records of the partner';
    assert.equal((await ask('POST', '/v1/dlq/drop', { id: '00000000-0000-7000-8000-000000000000', reason })).status, 404);
    assert.equal((await ask('POST', '/v1/dlq/drop', { all: true, reason, expect: letters + 1 })).status, 409);
    assert.deepEqual((await ask('POST', '/v1/dlq/drop', { all: true, reason, dry_run: true })).json, { dry_run: true, matched: letters, dropped: 0 });
    assert.equal(open(here), letters);
    assert.deepEqual((await ask('POST', '/v1/dlq/drop', { all: true, reason, expect: letters })).json, { dry_run: false, matched: letters, dropped: letters });
    assert.equal(open(here), 0);
    assert.equal(here.sql("SELECT DISTINCT event || ' ' || actor || ': ' || (detail ->> 'reason') FROM dead_letter_events WHERE event = 'dropped'"), `dropped first-admin: ${reason}`);
  } finally {
    assert.equal((await service.stop()).code, 0);
  }
});
