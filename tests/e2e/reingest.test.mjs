// Tables from bronze: a re-ingest makes what a sync makes, without AWS, whatever lies in bronze and whenever it is killed (I4, I9).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import path from 'node:path';
import { Postgres, Sim, site, scratch, brokenRuns, lastStats, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const REINGEST = ['bronze', 'reingest', '--entity', 'opportunities'];
const SETTINGS = { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '20' };
const COUNT = 90;

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

// Every column but those that say when something happened here.
function rows(here, table = 'partnercentral_opportunities') {
  return here.sql(`SELECT to_jsonb(t) - 'first_seen_at' - 'updated_at' - 'last_seen_run' - 'missed_full_scans' - 'missing_since' FROM ${table} t ORDER BY 1`);
}

async function synced(extra = {}) {
  const here = await site(postgres, sim, { ...SETTINGS, ...extra });
  const done = await here.pcw(SYNC);
  assert.equal(done.code, 0, done.stderr);
  return here;
}

async function calls() {
  return (await sim.calls()).length;
}

function parts(here) {
  const found = readdirSync(path.join(here.lake, 'bronze'), { recursive: true }).map((name) => path.join(here.lake, 'bronze', name));
  return found.filter((file) => /data[^/]*\.json$/.test(file)).sort();
}

function wipe(here) {
  here.sql('DELETE FROM partnercentral_opportunities');
}

test('a wiped table comes back equal, from bronze alone', async () => {
  const here = await synced();
  const expected = rows(here);
  const seen = here.sql('SELECT DISTINCT last_seen_run FROM partnercentral_opportunities');
  wipe(here);
  const before = await calls();

  for (const connections of ['1', '2', '4']) {
    wipe(here);
    const done = await here.pcw([...REINGEST, '--connections', connections]);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(rows(here), expected);
    assert.equal(lastStats(here).rows_inserted, COUNT);
  }

  assert.equal(await calls(), before, 'no call to AWS');
  assert.equal(here.sql('SELECT DISTINCT last_seen_run FROM partnercentral_opportunities'), seen, 'the run that fetched them');
  assert.equal(here.sql('SELECT DISTINCT mode FROM ingestion_runs ORDER BY 1'), 'full\nreingest');
  assert.equal(brokenRuns(here), '');
});

test('repeating it changes nothing, and never goes backwards', async () => {
  const here = await synced();
  await sim.modify({ count: 7 });
  assert.equal((await here.pcw(SYNC)).code, 0);
  const whole = () => here.sql('SELECT to_jsonb(t) FROM partnercentral_opportunities t ORDER BY 1');
  const expected = whole();

  const done = await here.pcw(REINGEST);

  assert.equal(done.code, 0, done.stderr);
  assert.equal(whole(), expected);
  const stats = lastStats(here);
  assert.equal(stats.rows_inserted + stats.rows_updated, 0);
  assert.equal(stats.rows_unchanged, stats.records_listed);
  wipe(here);
  assert.equal((await here.pcw(REINGEST)).code, 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));
});

test('of two contents with one time of change the later one in bronze stays, also where the table held it before', async () => {
  const here = await synced();
  const held = parts(here).map((file) => readFileSync(file, 'utf8')).join('');
  const lines = held.trimEnd().split('\n').map((line) => JSON.parse(line));
  const folder = path.join(path.dirname(path.dirname(parts(here)[0])), 'run-ffffffff-ffff-7fff-8fff-ffffffffffff');
  const stored = ({ meta, payload }, title) => {
    const text = JSON.stringify({ ...payload, Project: { ...payload.Project, Title: title } });
    return `{"meta":${JSON.stringify({ ...meta, sha256: createHash('sha256').update(text).digest('hex') })},"payload":${text}}\n`;
  };
  // Everything in two versions that only their bytes tell apart, then once more what is held; over more lines than a batch takes.
  mkdirSync(folder);
  const versions = Array.from({ length: 30 }, (_, i) => lines.map((line) => stored(line, `Title ${i}`)).join(''));
  writeFileSync(path.join(folder, 'data.json'), versions.join(''));
  writeFileSync(path.join(folder, 'data-00002.json'), held);
  const titles = () => here.sql('SELECT pc_opportunity_id, project_title, payload_json FROM partnercentral_opportunities ORDER BY 1');
  const expected = titles();

  const done = await here.pcw([...REINGEST, '--connections', '1']);

  assert.equal(done.code, 0, done.stderr);
  assert.equal(titles(), expected);
  assert.ok(lastStats(here).rows_updated >= 2 * COUNT, 'what lay between was written, and then again what was held');
});

test('a mapping with one more column fills it without AWS; a dry run tells so first', async () => {
  const here = await synced();
  here.sql('ALTER TABLE partnercentral_opportunities ADD COLUMN customer_city text');
  const builtin = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const file = path.join(here.dir, 'v2.yaml');
  writeFileSync(file, builtin.replace(/^version: \d+/m, 'version: 99').replace(/^( {2}customer_country_code:)/m, '  customer_city: { from: /Customer/Account/Address/City, type: text, pii: business }\n$1'));
  const before = await calls();
  const state = () => here.sql('SELECT to_jsonb(t) FROM partnercentral_opportunities t ORDER BY 1') + here.sql('SELECT count(*) FROM ingestion_runs');
  const untouched = state();

  const dry = await here.pcw([...REINGEST, '--mapping', file, '--dry-run', '--detailed-exitcode', '-o', 'json']);

  assert.equal(dry.code, 2, dry.stderr);
  assert.equal(state(), untouched, 'a dry run changes nothing');
  const told = JSON.parse(dry.stdout);
  const filled = Number(here.sql("SELECT count(*) FROM partnercentral_opportunities WHERE payload_json #>> '{Customer,Account,Address,City}' IS NOT NULL"));
  const change = told.columns.find((column) => column.column === 'customer_city');
  assert.deepEqual(told.columns.map((column) => column.column), ['customer_city']);
  assert.equal(change.rows, filled);
  assert.deepEqual(change.examples.map((example) => example.after), ['***', '***', '***']);
  assert.equal(told.stats.rows_updated, COUNT);

  const done = await here.pcw([...REINGEST, '--mapping', file]);

  assert.equal(done.code, 0, done.stderr);
  assert.equal(lastStats(here).rows_updated, COUNT);
  assert.equal(here.sql("SELECT count(*) FROM partnercentral_opportunities WHERE customer_city IS DISTINCT FROM payload_json #>> '{Customer,Account,Address,City}'"), '0');
  assert.equal(await calls(), before, 'no call to AWS');
});

test('a column that the table lacks is named before anything is written', async () => {
  const here = await synced();
  const builtin = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const file = path.join(here.dir, 'v2.yaml');
  writeFileSync(file, builtin.replace(/^version: \d+/m, 'version: 99').replace(/^( {2}customer_country_code:)/m, '  customer_city: { from: /Customer/Account/Address/City, type: text }\n$1'));

  const refused = await here.pcw([...REINGEST, '--mapping', file]);

  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /"customer_city" text.*pcw db migrate/s);
  assert.equal(here.sql("SELECT count(*) FROM ingestion_runs WHERE mode = 'reingest'"), '0');
});

const SPOILS = {
  'cut off': (file) => truncateSync(file, statSync(file).size - 10),
  'empty': (file) => writeFileSync(file, ''),
  'gzip': (file) => writeFileSync(file, gzipSync(readFileSync(file))),
  'one byte changed': (file) => writeFileSync(file, readFileSync(file, 'latin1').replace('"Id":"O', '"Id":"P'), 'latin1'),
  'garbage between lines': (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('\n', '\n<html>\n')),
  'byte order mark': (file) => writeFileSync(file, '\ufeff' + readFileSync(file, 'utf8')),
  'NUL': (file) => appendFileSync(file, '\0\n'),
  'gone': (file) => rmSync(file),
  'a symbolic link': (file) => { const text = readFileSync(file); rmSync(file); writeFileSync(`${file}.txt`, text); symlinkSync(`${file}.txt`, file); },
};

// What is lost where no manifest speaks for the object as a whole: each line proves itself.
const LOST_LINES = { 'cut off': 1, 'one byte changed': 1, 'garbage between lines': 0, 'byte order mark': 1, 'NUL': 0 };

for (const hasManifest of [true, false]) {
  test(`spoiled objects and lines are refused and named, the others land (${hasManifest ? 'with' : 'without'} a manifest)`, async (t) => {
    for (const [kind, spoil] of Object.entries(SPOILS)) {
      // Without a manifest nothing tells that an object is missing.
      if (!hasManifest && ['gone', 'a symbolic link'].includes(kind)) continue;
      const here = await synced();
      const [first, victim] = parts(here);
      const lost = readFileSync(victim, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line).meta.id);
      spoil(victim);
      if (!hasManifest) rmSync(path.join(path.dirname(first), 'manifest.json'));
      wipe(here);

      const done = await here.pcw(REINGEST);

      assert.equal(done.code, 3, `${kind}: ${done.stderr}`);
      assert.match(done.stderr, new RegExp(`rejected [^ ]*${path.basename(victim)}: `), kind);
      const gone = hasManifest ? lost.length : LOST_LINES[kind] ?? lost.length;
      assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT - gone), kind);
      const stats = lastStats(here);
      assert.equal(stats.rejected[0].key, path.relative(here.lake, victim), kind);
      assert.equal(here.sql("SELECT status FROM ingestion_runs WHERE mode = 'reingest'"), 'partial', kind);
      assert.equal(brokenRuns(here), '', kind);
      t.diagnostic(`${kind}: ${stats.rejected.map((object) => object.reason).join('; ')}`);
      postgres.sql(`DROP DATABASE ${here.database} WITH (FORCE)`);
    }
  });
}

test('a manifest that names a key outside its run is refused, and so is what it does not name', async () => {
  const here = await synced();
  const [file] = parts(here);
  const manifest = path.join(path.dirname(file), 'manifest.json');
  const json = JSON.parse(readFileSync(manifest, 'utf8'));
  json.parts[0].key = 'bronze/../../etc/passwd';
  writeFileSync(manifest, JSON.stringify(json));
  wipe(here);

  const done = await here.pcw(REINGEST);

  assert.equal(done.code, 3, done.stderr);
  assert.match(done.stderr, /passwd, which is not a part of this run/);
  assert.match(done.stderr, /is not in its manifest/);
});

test('selections: run, id, time, null column', async () => {
  const here = await synced();
  const id = here.sql('SELECT pc_opportunity_id FROM partnercentral_opportunities ORDER BY 1 LIMIT 1');
  const run = here.sql('SELECT id FROM ingestion_runs');
  const cases = [
    [['--id', id], 1],
    [['--id', id, '--id', 'O0'], 1],
    [['--run', run], COUNT],
    [['--run', '0123456789'], 0],
    [['--since', '2020-01-01'], COUNT],
    [['--since', '2099-01-01'], 0],
    [['--until', '2020-01-01T00:00:00Z'], 0],
    [['--null', 'closed_lost_reason'], Number(here.sql('SELECT count(*) FROM partnercentral_opportunities WHERE closed_lost_reason IS NULL'))],
    [['--letters'], 0],
  ];
  for (const [flags, expected] of cases) {
    const done = await here.pcw([...REINGEST, ...flags, '-o', 'json']);
    assert.equal(done.code, 0, `${flags}: ${done.stderr}`);
    assert.equal(JSON.parse(done.stdout).stats.records_listed, expected, flags.join(' '));
  }
  const wrong = await here.pcw([...REINGEST, '--null', 'no_such_column']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /has no column "no_such_column"/);
});

test('a record that the mapping refuses becomes a dead letter, and landing settles it', async () => {
  const here = await synced();
  const strict = path.join(here.dir, 'v2.yaml');
  const builtin = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  writeFileSync(strict, builtin.replace(/^version: \d+/m, 'version: 99').replace('closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text }', 'closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text, required: true }'));
  const bad = Number(here.sql('SELECT count(*) FROM partnercentral_opportunities WHERE closed_lost_reason IS NULL'));
  assert.ok(bad > 0);

  const refused = await here.pcw([...REINGEST, '--mapping', strict]);

  assert.equal(refused.code, 3, refused.stderr);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open' AND stage = 'map'"), String(bad));
  assert.equal(lastStats(here).dead_lettered, bad);
  assert.equal(brokenRuns(here), '');

  const replayed = await here.pcw([...REINGEST, '--letters']);

  assert.equal(replayed.code, 0, replayed.stderr);
  assert.equal(lastStats(here).records_listed, bad);
  assert.equal(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"), '0');
});

test('a rebuilt table equals the live one, keeps what bronze does not know, and its shape', async () => {
  const here = await synced();
  await sim.modify({ count: 3 });
  assert.equal((await here.pcw(SYNC)).code, 0);
  here.sql("UPDATE partnercentral_opportunities SET missed_full_scans = 1, first_seen_at = '2020-01-01' WHERE pc_opportunity_id = (SELECT min(pc_opportunity_id) FROM partnercentral_opportunities)");
  const whole = () => here.sql("SELECT to_jsonb(t) FROM partnercentral_opportunities t ORDER BY 1");
  const shape = () => here.sql(`SELECT string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'partnercentral_opportunities'::regclass`)
    + here.sql(`SELECT relacl, reloptions, relrowsecurity, relforcerowsecurity, relowner::regrole FROM pg_class WHERE oid = 'partnercentral_opportunities'::regclass`)
    + here.sql(`SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'partnercentral_opportunities'::regclass ORDER BY 1`)
    + here.sql(`SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'partnercentral_opportunities'::regclass ORDER BY 1`)
    + here.sql(`SELECT attname, attcompression, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'partnercentral_opportunities'::regclass AND attnum > 0 ORDER BY attnum`);
  const expected = whole();
  const expectedShape = shape();

  const done = await here.pcw([...REINGEST, '--rebuild']);

  assert.equal(done.code, 0, done.stderr);
  assert.equal(whole(), expected);
  assert.equal(shape(), expectedShape);
  assert.equal((await here.pcw(SYNC)).code, 0, 'the service can still write it');
});

test('a rebuild refuses to lose rows, foreign rows and views, and changes nothing then', async () => {
  const here = await synced();
  const identity = () => here.sql("SELECT 'partnercentral_opportunities'::regclass::oid");
  const table = identity();
  // A view that shows every tenant's rows to whoever may read it is refused by every verb.
  here.sql('CREATE VIEW big_deals AS SELECT * FROM partnercentral_opportunities');
  assert.equal((await here.pcw([...REINGEST, '--rebuild'])).code, 78);
  here.sql('ALTER VIEW big_deals SET (security_invoker = true)');
  const withView = await here.pcw([...REINGEST, '--rebuild']);
  assert.equal(withView.code, 1, withView.stderr);
  assert.match(withView.stderr, /big_deals/);
  here.sql('DROP VIEW big_deals');

  const [, victim] = parts(here);
  rmSync(victim);
  const lossy = await here.pcw([...REINGEST, '--rebuild']);
  assert.equal(lossy.code, 1, lossy.stderr);
  assert.match(lossy.stderr, /20 rows .* would vanish/);
  assert.equal(identity(), table);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT));

  here.sql("INSERT INTO tenants (id, name) VALUES ('00000000-0000-0000-0000-000000000002', 'other')");
  here.sql(`INSERT INTO partnercentral_opportunities SELECT (r).* FROM (SELECT jsonb_populate_record(t, '{"tenant_id": "00000000-0000-0000-0000-000000000002"}') AS r FROM partnercentral_opportunities t LIMIT 1) x`);
  const foreign = await here.pcw([...REINGEST, '--rebuild', '--expect', '20']);
  assert.equal(foreign.code, 1, foreign.stderr);
  assert.match(foreign.stderr, /00000000-0000-0000-0000-000000000002/);
  here.sql("DELETE FROM partnercentral_opportunities WHERE tenant_id = '00000000-0000-0000-0000-000000000002'");
  assert.equal(identity(), table);

  const accepted = await here.pcw([...REINGEST, '--rebuild', '--expect', '20']);
  assert.equal(accepted.code, 3, accepted.stderr);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), String(COUNT - 20));
});

test('killed at every failpoint, --resume and a repeat reach the undisturbed state', async (t) => {
  const log = path.join(scratch(), 'failpoints');
  const here = await synced();
  const expected = rows(here);
  for (const flags of [[], ['--rebuild']]) {
    rmSync(log, { force: true });
    if (flags.length === 0) wipe(here);
    assert.equal((await here.pcw([...REINGEST, ...flags], { PCW_FAILPOINT_LOG: log })).code, 0);
    const places = new Map();
    for (const name of readFileSync(log, 'utf8').split('\n').filter(Boolean)) places.set(name, (places.get(name) ?? 0) + 1);
    const own = [...places].filter(([name]) => /^(reingest|rebuild)\./.test(name));
    assert.ok(own.length >= (flags.length ? 10 : 7), own.join(' '));
    for (const [name, passages] of own) {
      for (const passage of new Set([1, passages])) {
        const what = `${flags} ${name}:${passage}`;
        if (flags.length === 0) wipe(here);
        const killed = await here.pcw([...REINGEST, ...flags], { PCW_FAILPOINT: `${name}:${passage}` });
        assert.equal(killed.signal, 'SIGKILL', `${what}: ${killed.code} ${killed.stderr}`);
        if (flags.length) assert.equal(rows(here), expected, `${what}: the live table is whole`);
        // A run that had ended before it was killed is not there to be resumed.
        const isOver = name === 'reingest.finish.after';
        const again = await here.pcw([...REINGEST, ...(flags.length || isOver ? flags : ['--resume'])]);
        assert.equal(again.code, 0, `${what}: ${again.stderr}`);
        assert.equal(rows(here), expected, what);
        assert.equal(brokenRuns(here), '', what);
      }
    }
    t.diagnostic(`${own.length} failpoints ${flags}`);
  }
});

// A finished run of leads, written by hand: the answers of two sources in the order given.
function putRun(here, n, records) {
  const run = `019a0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
  const prefix = `bronze/partnercentral/leads/2026/01/${String(n).padStart(2, '0')}/run-${run}/`;
  const sha = (text) => createHash('sha256').update(text).digest('hex');
  const content = records.map(({ id, operation, served, payload }) => {
    const text = JSON.stringify(payload);
    return `{"meta":{"id":"${id}","operation":"${operation}","request_id":"r","fetched_at":"${served}","served_at":"${served}","version":"${served}","source":"get","sha256":"${sha(text)}"},"payload":${text}}\n`;
  }).join('');
  mkdirSync(path.join(here.lake, prefix), { recursive: true });
  writeFileSync(path.join(here.lake, prefix, 'data.json'), content);
  writeFileSync(path.join(here.lake, prefix, 'manifest.json'), JSON.stringify({ run_id: run, connector: 'partner_central', entity: 'leads', mode: 'full', catalog: 'AWS', started_at: '', ended_at: '', mapping_version: 1,
    watermark_before: '', watermark_after: '', parts: [{ key: `${prefix}data.json`, sha256: sha(content), bytes: Buffer.byteLength(content), records: records.length }], pages: [] }));
}

test('a new column of leads is filled from the full answer although a sparse one is newer', async () => {
  const here = await site(postgres, sim, SETTINGS);
  const fixture = (name) => JSON.parse(readFileSync(new URL(`../fixtures/leads/${name}.json`, import.meta.url), 'utf8'));
  const invitation = fixture('invitation');
  const sparse = fixture('sparse');
  const full = invitation.payload ?? invitation;
  const short = sparse.payload ?? sparse;
  const id = full.EngagementId ?? 'eng-0123456789abcd';
  putRun(here, 1, [{ id, operation: 'GetEngagementInvitation', served: '2026-01-01T00:00:00Z', payload: full }]);
  putRun(here, 2, [{ id, operation: 'ListEngagementInvitations', served: '2026-01-02T00:00:00Z', payload: { ...short, EngagementId: id } }]);
  const entity = ['bronze', 'reingest', '--entity', 'leads'];
  assert.equal((await here.pcw(entity)).code, 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_leads'), '1');
  const title = here.sql('SELECT title FROM partnercentral_leads');
  assert.notEqual(title, '', 'the sparse answer left the title alone');
  const bronze = here.sql('SELECT bronze_key FROM partnercentral_leads');
  assert.match(bronze, /run-019a0000-0000-7000-8000-000000000002/);

  here.sql('ALTER TABLE partnercentral_leads ADD COLUMN title_again text');
  const file = path.join(here.dir, 'v.yaml');
  const builtin = readFileSync(new URL('../../mappings/leads.yaml', import.meta.url), 'utf8');
  const line = /^ {2}title:.*$/m.exec(builtin)[0];
  writeFileSync(file, builtin.replace(/^version: \d+/m, 'version: 99').replace(line, `${line}\n${line.replace('title:', 'title_again:')}`));
  const done = await here.pcw([...entity, '--mapping', file]);

  assert.equal(done.code, 0, done.stderr);
  assert.equal(here.sql('SELECT title_again FROM partnercentral_leads'), title);
  assert.equal(here.sql('SELECT bronze_key FROM partnercentral_leads'), bronze, 'the newest answer is still what the row is of');
  assert.equal(brokenRuns(here), '');
});

test('history tells every version and what changed in it, masked unless asked', async () => {
  const here = await synced();
  const id = here.sql('SELECT pc_opportunity_id FROM partnercentral_opportunities ORDER BY 1 LIMIT 1');
  await sim.modify({ catalog: 'AWS', ids: [id] });
  assert.equal((await here.pcw(SYNC)).code, 0);

  const shown = await here.pcw(['history', 'opportunity', id, '-o', 'json']);

  assert.equal(shown.code, 0, shown.stderr);
  const versions = JSON.parse(shown.stdout);
  assert.equal(versions.length, 2);
  assert.deepEqual(versions.map((version) => version.operation), ['GetOpportunity', 'GetOpportunity']);
  assert.equal(versions[1].modified, here.sql(`SELECT source_version FROM partnercentral_opportunities WHERE pc_opportunity_id = '${id}'`));
  const change = versions[1].changes.find((one) => one.pointer === '/LastModifiedDate');
  assert.equal(change.before, versions[0].modified);
  const company = here.sql(`SELECT customer_company_name FROM partnercentral_opportunities WHERE pc_opportunity_id = '${id}'`);
  assert.ok(!shown.stdout.includes(company), 'masked');
  assert.equal((await here.pcw(['history', 'opportunities', id, '--since', '2099-01-01', '-o', 'json'])).stdout.trim(), '[]');
  assert.equal((await here.pcw(['history', 'opportunity', 'O-none'])).code, 1);
  assert.equal((await here.pcw(['history', 'oportunity', id])).code, 64);
});

test('cat shows records masked, by key and by id; raw is what is stored', async () => {
  const here = await synced();
  const [id, key, line, company] = here.sql('SELECT pc_opportunity_id, bronze_key, bronze_line, customer_company_name FROM partnercentral_opportunities WHERE customer_company_name IS NOT NULL ORDER BY 1 LIMIT 1').split('|');
  const stored = readFileSync(path.join(here.lake, key), 'utf8').split('\n')[Number(line) - 1];

  const masked = await here.pcw(['bronze', 'cat', key, '--line', line]);
  const raw = await here.pcw(['bronze', 'cat', key, '--line', line, '--raw']);
  const byId = await here.pcw(['bronze', 'cat', '--id', id, '--entity', 'opportunities', '--unmasked']);

  assert.equal(JSON.parse(masked.stdout).meta.id, id);
  assert.ok(!masked.stdout.includes(company));
  assert.equal(raw.stdout, `${stored}\n`);
  assert.match(raw.stderr, /not masked/);
  assert.equal(JSON.parse(byId.stdout).payload.Customer.Account.CompanyName, company);
  assert.equal((await here.pcw(['bronze', 'cat'])).code, 64);
});

test('verify compares the lake with the database', async () => {
  const here = await synced();
  const clean = await here.pcw(['bronze', 'verify', '-o', 'json']);
  assert.equal(clean.code, 0, clean.stdout);
  assert.equal(JSON.parse(clean.stdout).compared_with_database, true);

  const run = here.sql('SELECT id FROM ingestion_runs');
  here.sql(`UPDATE run_parts SET bronze_key = replace(bronze_key, 'data.json', 'data-00099.json') WHERE part = 1`);
  const moved = await here.pcw(['bronze', 'verify']);
  assert.equal(moved.code, 3);
  assert.match(moved.stdout, /data-00099.json\) was committed to the database and is not in the lake/);
  assert.match(moved.stdout, /data.json\) is in a finished run's manifest, but was never committed/);

  here.sql(`DELETE FROM run_parts; DELETE FROM ingestion_runs`);
  const foreign = await here.pcw(['bronze', 'verify']);
  assert.equal(foreign.code, 3);
  assert.match(foreign.stdout, new RegExp(`run-${run}/\\) belongs to a run that the database does not know`));
});

test('money is exact in every form, what is not an amount leaves the old one, and a rebuild ends the same', async () => {
  const money = (here) => here.sql(`SELECT pc_opportunity_id, coalesce(expected_spend_amount::text, '~'), coalesce(expected_spend_currency, '~'), coalesce(expected_revenue_usd::text, '~'),
      coalesce(total_contract_value::text, '~') FROM partnercentral_opportunities ORDER BY 1`).split('\n').map((line) => line.split('|'));
  const expectCode = (result, code) => assert.equal(result.code, code, `${result.stdout}\n${result.stderr}`);
  const own = await Sim.start(['--opportunities', '40', '--seed', '11', '--no-quota']);
  try {
    const here = await site(postgres, own, SETTINGS);
    const incremental = SYNC.with(-1, 'incremental');
    expectCode(await here.pcw(SYNC), 0);
    const first = money(here);
    assert.ok(first.some(([, , , , total]) => total !== '~') && first.some(([, , , revenue]) => revenue !== '~'));

    // Of records that have no amount at AWS there is nothing to spoil.
    const paid = first.filter(([, amount, currency]) => amount !== '~' && currency !== '~').map(([id]) => id);
    const land = async (variant, misfits) => {
      await own.faults([{ operation: 'GetOpportunity', kind: 'bad_record', variant }]);
      await own.modify({ ids: paid });
      expectCode(await here.pcw(incremental), 0);
      await own.faults([]);
      assert.equal(lastStats(here).misfits > 0, misfits, variant);
      return money(here);
    };
    for (const [variant, wanted] of [['amount_number', '100.5'], ['amount_beyond_64_bits', '9223372036854775808'], ['amount_exponent', '1000000']]) {
      const amounts = new Set((await land(variant, false)).filter(([id]) => paid.includes(id)).map(([, amount]) => amount));
      assert.ok(amounts.has(wanted), `${variant}: ${[...amounts]}`);
    }
    const good = money(here);
    const spoilt = await land('amount_words', true);
    for (const [i, [id, amount, currency]] of good.entries()) {
      if (amount !== '1000000' || spoilt[i][1] !== '1000000') continue;
      assert.deepEqual(spoilt[i].slice(0, 3), [id, amount, currency], 'an amount and its currency stay together');
    }
    assert.ok(spoilt.filter(([, amount]) => amount === '1000000').length > 5, 'the old amounts stay');
    assert.match((await here.pcw(['drift', 'list', '--kind', 'misfit'])).stdout, /ExpectedCustomerSpend.*Amount +string/);

    expectCode(await here.pcw([...REINGEST, '--rebuild']), 0);
    assert.deepEqual(money(here), spoilt);
    const emptied = await land('amount_empty', false);
    assert.ok(!emptied.some(([, amount]) => amount === '1000000'), 'an empty amount is none');
  } finally {
    await own.stop();
  }
});
