// Bytes first: whatever AWS sends is kept, one record that nobody can read costs no other, and every line of bronze passes jq.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, differences, lastStats, brokenRuns, NO_QUOTA } from './harness.mjs';

const LIST = 'ListOpportunities';
const GET = 'GetOpportunity';
const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const REINGEST = ['bronze', 'reingest', '--entity', 'opportunities'];
const MALFORMED = ['lone_surrogate', 'invalid_utf8', 'byte_order_mark', 'deep', 'not_json'];
const NUMBERS = ['big_integer', 'long_integer', 'big_exponent'];
const IDS = ['missing_id', 'number_id', 'nul_in_id', 'long_id', 'invalid_utf8_id'];
let postgres;
before(async () => {
  postgres = await Postgres.start();
});
after(async () => {
  await postgres.stop();
});

async function withSim(body, records) {
  const sim = await Sim.start(['--opportunities', String(records), '--no-quota']);
  try {
    await body(await site(postgres, sim, NO_QUOTA), sim);
  } finally {
    await sim.stop();
  }
}

async function ends(here, args, code) {
  const done = await here.pcw(args);
  assert.equal(done.code, code, `${args.join(' ')}: ${done.stdout}${done.stderr}`);
  assert.equal(brokenRuns(here), '');
  return done;
}

const objects = (here) => readdirSync(here.lake, { recursive: true }).filter((name) => name.endsWith('.json')).map((name) => path.join(here.lake, name)).sort();
const parts = (here) => objects(here).filter((file) => !file.endsWith('manifest.json'));

/** What jq makes of a text: a value a line. Fails where jq would stop. */
function jq(text) {
  const done = spawnSync('jq', ['-c', '.'], { input: text, maxBuffer: 1 << 28 });
  assert.equal(done.status, 0, done.stderr?.toString());
  return done.stdout.toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

const titles = (here) => here.sql(`SELECT pc_opportunity_id, encode(payload_sha256, 'hex'), project_title, bronze_key, bronze_line FROM partnercentral_opportunities ORDER BY 1`);
const letters = (here) => here.sql(`SELECT record_key, stage, error_code, bronze_key, bronze_line FROM dead_letters WHERE state = 'open' ORDER BY 1, 4, 5`);
const count = (here, where = 'true') => Number(here.sql(`SELECT count(*) FROM partnercentral_opportunities WHERE ${where}`));

test('of records that nobody can read the bytes are kept, the neighbours land, and jq reads every line', () => withSim(async (here, sim) => {
  const ids = (await sim.truth()).map((row) => row.id).sort();
  const listed = [...MALFORMED, ...NUMBERS, ...IDS].map((variant, i) => ({ kind: 'bad_record', operation: LIST, variant, item: i + 1 }));
  const details = [...MALFORMED, ...NUMBERS].map((variant, i) => ({ kind: 'bad_record', operation: GET, variant, identifier: ids[25 + i] }));
  await sim.faults([...listed, ...details]);

  await ends(here, SYNC, 3);

  const lost = 2 * MALFORMED.length + IDS.length;
  assert.equal(count(here), ids.length - lost);
  assert.equal(lastStats(here).dead_lettered, lost);
  assert.equal(here.sql(`SELECT string_agg(DISTINCT stage || ' ' || error_code, ',') FROM dead_letters`), 'map schema_mismatch');
  assert.equal(here.sql('SELECT count(*) FROM dead_letters WHERE bronze_key IS NULL OR bronze_line IS NULL OR length(record_key) > 255'), '0');
  assert.equal(here.sql(`SELECT count(*) FROM dead_letters WHERE record_key LIKE '(%'`), String(IDS.length));
  const calls = (await sim.calls()).filter((call) => call.operation === GET && call.identifier === ids[25]);
  assert.equal(calls.length, 1, 'bytes that nobody can read are asked for once');
  assert.deepEqual(here.sql(`SELECT payload_json->>'Odd' FROM partnercentral_opportunities WHERE payload_json ? 'Odd' ORDER BY pc_opportunity_id`).split('\n'),
    ['18446744073709551616', '7'.repeat(200), `1${'0'.repeat(400)}`]);

  const stored = [];
  for (const file of objects(here)) {
    const text = readFileSync(file);
    const read = jq(text);
    if (file.endsWith('manifest.json')) continue;
    assert.equal(read.length, text.toString('latin1').trimEnd().split('\n').length);
    stored.push(...read);
  }
  const coded = stored.filter((line) => line.payload === null);
  assert.equal(coded.length, 2 * MALFORMED.length + 1, 'and the item whose id is not UTF-8');
  for (const { meta, payload_base64: bytes } of coded) {
    assert.ok(meta.malformed, JSON.stringify(meta));
    assert.equal(createHash('sha256').update(Buffer.from(bytes, 'base64')).digest('hex'), meta.sha256);
  }
  assert.deepEqual([...new Set(coded.map(({ meta }) => meta.malformed.replace(/ at byte \d+/, '')))].sort(),
    ['a byte order mark at its beginning', 'a lone surrogate', 'nested deeper than 200', 'not JSON', 'not UTF-8']);

  for (const file of parts(here)) {
    for (const more of [[], ['--unmasked'], ['--raw']]) {
      const cat = await here.pcw(['bronze', 'cat', path.relative(here.lake, file), ...more]);
      assert.equal(cat.code, 0, cat.stderr);
      assert.equal(jq(cat.stdout).length, readFileSync(file, 'latin1').trimEnd().split('\n').length);
    }
  }
  const shown = await ends(here, ['bronze', 'cat', '--id', ids[25], '--unmasked'], 0);
  assert.equal(jq(shown.stdout)[0].payload, null);
  await ends(here, ['history', 'opportunity', ids[25]], 0);
  const letter = here.sql(`SELECT id FROM dead_letters WHERE record_key = '${ids[25]}'`);
  assert.equal(JSON.parse((await ends(here, ['dlq', 'show', letter, '-o', 'json'], 0)).stdout).malformed.replace(/\d+/, 'N'), 'a lone surrogate at byte N');

  const [rows, open] = [titles(here), letters(here)];
  await ends(here, ['bronze', 'verify'], 0);
  here.sql('TRUNCATE partnercentral_opportunities, dead_letters CASCADE');
  await ends(here, REINGEST, 3);
  assert.equal(titles(here), rows);
  assert.equal(letters(here), open);

  // Held rows whose items cannot be read are not missing, however often.
  await sim.faults([]);
  await sim.modify({ ids: ids.slice(25, 25 + details.length) });
  await ends(here, SYNC, 0);
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(here.sql(`SELECT count(*) FROM dead_letters WHERE state = 'open' AND record_key NOT LIKE '(%'`), '0');
  await sim.faults(listed);
  for (let i = 0; i < 3; ++i) await ends(here, SYNC, 3);
  assert.equal(count(here, 'missing_since IS NULL'), ids.length);
}, 60));

test('a page token of another type is a failed page, and marks nothing missing', () => withSim(async (here, sim) => {
  await ends(here, SYNC, 0);
  for (const variant of ['number', 'object', 'lone_surrogate']) {
    await sim.faults([{ kind: 'odd_token', operation: LIST, variant, at: [2] }]);
    const done = await here.pcw(SYNC, { PCW_CONNECTORS_PARTNER_CENTRAL_BATCH_SIZE: '5' });
    assert.equal(done.code, 1, `${variant}: ${done.stderr}`);
    assert.match(done.stderr, /NextToken/);
    assert.equal(here.sql('SELECT status FROM ingestion_runs ORDER BY started_at DESC, id DESC LIMIT 1'), 'failed');
  }
  assert.equal(count(here, 'missing_since IS NULL AND missed_full_scans = 0'), 20);
}, 20));

test('what a header holds stops no reader of bronze', () => withSim(async (here, sim) => {
  await sim.faults([{ kind: 'odd_header' }]);
  await ends(here, SYNC, 0);

  for (const file of objects(here)) jq(readFileSync(file));
  const [line] = jq(readFileSync(parts(here)[0]));
  assert.equal(line.meta.request_id, 'r\\xff"');
  await ends(here, ['bronze', 'verify'], 0);
  const rows = titles(here);
  here.sql('DELETE FROM partnercentral_opportunities');
  await ends(here, REINGEST, 0);
  assert.equal(titles(here), rows);
}, 12));

test('a record as large as an answer may be comes back from bronze with all others', () => withSim(async (here, sim) => {
  const ids = (await sim.truth()).map((row) => row.id).sort();
  await sim.faults([
    { kind: 'bad_record', operation: GET, variant: 'huge_field', bytes: 16_000_000, identifier: ids[2] },
    { kind: 'bad_record', operation: GET, variant: 'huge_field', bytes: 11_000_000, identifier: ids[4] },
    { kind: 'bad_record', operation: GET, variant: 'lone_surrogate', identifier: ids[4] },
  ]);
  await ends(here, SYNC, 3);
  await ends(here, ['bronze', 'verify'], 0);
  const [rows, open] = [titles(here), letters(here)];
  assert.equal(count(here), ids.length - 1);
  here.sql('TRUNCATE partnercentral_opportunities, dead_letters CASCADE');
  await ends(here, REINGEST, 3);
  assert.equal(titles(here), rows);
  assert.equal(letters(here), open);
}, 10));

test('of two members of one name the column, payload_json and drift take the last', () => withSim(async (here, sim) => {
  await sim.faults([{ kind: 'bad_record', operation: GET, variant: 'duplicate_text' }]);
  await ends(here, SYNC, 0);
  assert.equal(count(here, `opportunity_type = 'the second' AND payload_json->>'OpportunityType' = 'the second'`), 5);
  const drift = JSON.parse((await ends(here, ['drift', 'list', '-o', 'json'], 0)).stdout);
  assert.deepEqual(drift.map((finding) => [finding.pointer, finding.found, finding.records]), [['/OpportunityType', 'the second', 5]]);
}, 5));
