// Crash safety, by killing the process: at every failpoint of a three-part sync (first, middle and last passage), and PostgreSQL under it.
// After a rerun the table, cursor and dead letters must equal those of a run that nobody disturbed (I1 to I5, I7 to I10).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, scratch, tableState, brokenRuns, differences, NO_QUOTA } from '../e2e/harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const SETTINGS = { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '30' };
const ROUNDS = Number(process.env.PCW_CRASH_ROUNDS ?? '12');

let postgres;
let sim;
let expected;
let places;

before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '90', '--seed', '11', '--no-quota']);
  // One undisturbed run gives the state to reach and the list of every failpoint with its passages.
  const log = path.join(scratch(), 'failpoints');
  const here = await site(postgres, sim, { ...SETTINGS, PCW_FAILPOINT_LOG: log });
  const done = await here.pcw(SYNC);
  assert.equal(done.code, 0, done.stderr);
  expected = state(here);
  places = new Map();
  for (const name of readFileSync(log, 'utf8').split('\n').filter(Boolean)) places.set(name, (places.get(name) ?? 0) + 1);
});

after(async () => {
  await sim.stop();
  await postgres.stop();
});

function state(here) {
  return {
    table: tableState(here),
    cursor: here.sql('SELECT entity, catalog, watermark FROM cursors'),
    letters: here.sql('SELECT record_key, state FROM dead_letters ORDER BY 1'),
  };
}

async function expectConverged(here, what) {
  assert.deepEqual(state(here), expected, what);
  assert.equal(brokenRuns(here), '', what);
  assert.deepEqual(await differences(here, sim), [], what);
  const verified = await here.pcw(['bronze', 'verify']);
  assert.equal(verified.code, 0, `${what}: ${verified.stdout}${verified.stderr}`);
  // Every row's lineage leads to its bytes (I2, I9).
  const rows = here.sql("SELECT bronze_key, bronze_line, encode(payload_sha256, 'hex'), pc_opportunity_id FROM partnercentral_opportunities").split('\n');
  for (const row of rows) {
    const [key, line, sha256, id] = row.split('|');
    const file = path.join(here.lake, key);
    assert.ok(existsSync(file), `${what}: ${key}`);
    const { meta } = JSON.parse(readFileSync(file, 'utf8').split('\n')[Number(line) - 1]);
    assert.equal(meta.sha256, sha256, `${what}: ${id}`);
  }
}

test('kill -9 at every failpoint, first, middle and last passage: a rerun reaches the undisturbed state', async (t) => {
  assert.ok(places.size >= 15, `failpoints seen: ${[...places.keys()]}`);
  let kills = 0;
  for (const [name, passages] of places) {
    for (const passage of new Set([1, Math.ceil(passages / 2), passages])) {
      const what = `${name}:${passage}`;
      const here = await site(postgres, sim, SETTINGS);
      const killed = await here.pcw(SYNC, { PCW_FAILPOINT: what });
      assert.equal(killed.signal, 'SIGKILL', `${what}: exit ${killed.code} ${killed.stderr}`);
      ++kills;
      const again = await here.pcw(SYNC);
      assert.equal(again.code, 0, `${what}: ${again.stderr}`);
      await expectConverged(here, what);
      postgres.sql(`DROP DATABASE ${here.database} WITH (FORCE)`);
    }
  }
  t.diagnostic(`${kills} kills at ${places.size} failpoints`);
});

test('kill -9 at random moments, again and again in one database: the last rerun reaches the undisturbed state', async (t) => {
  const here = await site(postgres, sim, SETTINGS);
  let kills = 0;
  const names = [...places.keys()];
  for (let round = 0; round < ROUNDS; ++round) {
    const name = names[(round * 7) % names.length];
    const killed = await here.pcw(SYNC, { PCW_FAILPOINT: `${name}:${1 + (round * 5) % places.get(name)}` });
    if (killed.signal === 'SIGKILL') ++kills;
  }
  assert.equal((await here.pcw(SYNC)).code, 0);
  await expectConverged(here, `${kills} kills in a row`);
  t.diagnostic(`${kills} kills in one database`);
});

test('PostgreSQL stopped with -m immediate in mid-run: the run rides it out or a rerun completes it', async (t) => {
  let stops = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    const slow = await Sim.start(['--opportunities', '90', '--seed', '11', '--no-quota', '--latency', '20']);
    try {
      const here = await site(postgres, slow, SETTINGS);
      const wanted = String((round % 3) * 30);
      const going = here.pcw(SYNC);
      let ended = false;
      going.finally(() => { ended = true; });
      while (!ended) {
        if (here.sql("SELECT count(*) FROM ingestion_runs") !== '0' && Number(here.sql('SELECT count(*) FROM partnercentral_opportunities')) >= Number(wanted)) break;
        await new Promise(setImmediate);
      }
      await postgres.stopImmediately();
      ++stops;
      await postgres.launch();
      const first = await going;
      assert.ok([0, 69].includes(first.code), `exit ${first.code}: ${first.stderr}`);
      if (first.code !== 0) assert.equal((await here.pcw(SYNC)).code, 0);
      await expectConverged(here, `immediate stop ${round}`);
    } finally {
      await slow.stop();
    }
  }
  t.diagnostic(`${stops} immediate stops`);
});

test('a holder that sleeps past its lease commits nothing afterwards', async () => {
  const slow = await Sim.start(['--opportunities', '90', '--seed', '11', '--no-quota', '--latency', '150']);
  try {
    const here = await site(postgres, slow, SETTINGS);
    let child;
    const first = here.pcw(SYNC, {}, { onSpawn: (c) => { child = c; } });
    while (here.sql('SELECT count(*) FROM partnercentral_opportunities') === '0') await new Promise(setImmediate);
    child.kill('SIGSTOP');
    // The database clock decides: the lease is made to have expired, as if the holder had slept for half a minute.
    here.sql("UPDATE leases SET expires_at = now() - interval '1 second'");
    const second = await here.pcw(SYNC);
    assert.equal(second.code, 0, second.stderr);
    child.kill('SIGCONT');
    const stale = await first;
    assert.notEqual(stale.code, 0);
    assert.match(stale.stderr, /lease/);
    await expectConverged(here, 'after the sleeper woke');
  } finally {
    await slow.stop();
  }
});
