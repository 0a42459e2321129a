// One record of a scan is spoilt in a way drawn from a seed: the others land, nothing of the bad one is lost, the counters add up, and a rerun
// after AWS is well again ends equal to a run that saw no corruption. PCW_CORRUPTIONS: how many seeds (200; scripts/soak runs 5,000);
// PCW_CORRUPTION_SEED: the first one.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, BROKEN_RUNS, NO_QUOTA } from './harness.mjs';
import { corruptingProxy, generator } from './corrupting_proxy.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const RECORDS = 200;
const SEEDS = Number(process.env.PCW_CORRUPTIONS ?? 200);
const FIRST = Number(process.env.PCW_CORRUPTION_SEED ?? 1);
const AT_ONCE = 3;

let postgres;
let sim;
let truth;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(RECORDS), '--no-quota']);
  truth = new Map((await sim.truth()).map((row) => [row.id, row.sha256]));
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

function parts(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('data'))
    .map((entry) => path.join(entry.path ?? entry.parentPath, entry.name));
}

// Every payload in bronze by the hash of its original bytes; that the line is JSON for everybody is jq's word.
function bronzeHashes(lake) {
  const files = parts(lake);
  const read = spawnSync('jq', ['-r', '.meta.sha256', ...files], { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(read.status, 0, `jq reads every line: ${read.stderr}`);
  for (const file of files) assert.ok(readFileSync(file).toString('latin1').endsWith('\n'), `${file} ends with a line`);
  return new Set(read.stdout.split('\n').filter(Boolean));
}

// A database that every seed of one worker starts with as empty as it was migrated: making one takes longer than both runs together.
class Reused {
  static async make() {
    const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '50' });
    const reused = new Reused();
    reused.here = here;
    const tables = here.sql("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')").split('\n');
    const seeded = new Set(here.sql(tables.map((table) => `SELECT '${table}' WHERE EXISTS (SELECT FROM ${table})`).join(' UNION ALL ')).split('\n'));
    // Rows of a few hundred are deleted in less time than new files are made; without triggers, so in any order.
    reused.empty = `SET session_replication_role = replica;${tables.filter((table) => !seeded.has(table)).map((table) => `DELETE FROM ${table}`).join(';')}`;
    return reused;
  }

  clean() {
    this.here.sql(this.empty);
    for (const dir of [path.join(this.here.lake, 'bronze'), this.here.env.PCW_HOME]) rmSync(dir, { recursive: true, force: true });
  }
}

// What a run left, in one question: rows that are held, runs whose counters do not add up, open dead letters.
function stateOf(here) {
  const told = JSON.parse(here.sql(`SELECT json_build_object(
      'held', (SELECT coalesce(json_object_agg(pc_opportunity_id, encode(payload_sha256, 'hex')), '{}') FROM partnercentral_opportunities WHERE missing_since IS NULL),
      'broken', (SELECT coalesce(json_agg(r), '[]') FROM (${BROKEN_RUNS}) r),
      'letters', (SELECT coalesce(json_agg(json_build_object('key', record_key, 'stage', stage, 'error', error, 'bronze', bronze_key)), '[]') FROM dead_letters WHERE state = 'open'))`));
  const held = new Map(Object.entries(told.held));
  const wrong = [];
  for (const [id, sha] of truth) if (held.get(id) !== sha) wrong.push(`${id}: source ${sha}, table ${held.get(id)}`);
  for (const id of held.keys()) if (!truth.has(id)) wrong.push(`${id}: in the table, not at the source`);
  return { held, wrong, broken: told.broken, letters: told.letters };
}

async function survives(seed, { here }) {
  const random = generator(seed ^ 0x5eed);
  const id = [...truth.keys()][random.below(truth.size)];
  const proxy = await corruptingProxy(sim.url, { seed, id });
  const told = () => `seed ${seed}, ${id}, ${proxy.where}: ${proxy.what}`;
  try {
    const first = await here.pcw(SYNC, { AWS_ENDPOINT_URL: proxy.url });
    assert.ok(proxy.what, `seed ${seed}: nothing was spoilt\n${first.stderr}`);
    assert.ok([0, 3].includes(first.code), `${told()}: exit ${first.code}\n${first.stderr}`);
    const then = stateOf(here);
    const wrong = then.wrong.filter((line) => !line.startsWith(`${id}: `));
    // An id that became another name is a record of its own, beside the others.
    const strangers = wrong.filter((line) => line.endsWith('not at the source'));
    assert.deepEqual(wrong.filter((line) => !strangers.includes(line)), [], `${told()}: the others land`);
    assert.ok(strangers.length <= 1, `${told()}: ${strangers}`);
    assert.deepEqual(then.broken, [], told());

    assert.equal(then.letters.length, first.code === 3 ? 1 : 0, `${told()}: one dead letter of a run that has one`);
    const row = then.held.get(id);
    const hashes = bronzeHashes(here.lake);
    if (first.code === 3) {
      const [letter] = then.letters;
      assert.notEqual(letter.error, '', `${told()}: it says why`);
      if (letter.stage === 'map') {
        assert.ok(letter.bronze, `${told()}: its bytes are in bronze`);
        assert.ok(hashes.has(sha256(proxy.bytes)), `${told()}: the bytes as AWS sent them`);
      } else {
        assert.equal(letter.stage, 'fetch', told());
      }
    } else if (proxy.where === 'detail') {
      assert.equal(row, sha256(proxy.bytes), `${told()}: what landed is what AWS sent`);
    }

    const second = await here.pcw(SYNC);
    assert.equal(second.code, 0, `${told()}: the rerun\n${second.stderr}`);
    const now = stateOf(here);
    assert.deepEqual(now.broken, [], told());
    // What is valid and bears the listed version cannot be told from the truth, so it stays as AWS said it.
    const believed = first.code === 0 && proxy.where === 'detail' && row !== truth.get(id);
    const left = now.wrong.filter((line) => !(believed && line.startsWith(`${id}: `)) && !strangers.includes(line));
    assert.deepEqual(left, [], `${told()}: the rerun ends as if nothing had been`);
    assert.deepEqual(now.letters.filter((letter) => letter.key === id), [], `${told()}: settled`);
  } finally {
    await proxy.stop();
  }
}

test(`${SEEDS} corruptions of one record, seeds from ${FIRST}`, async () => {
  const failures = [];
  let next = FIRST;
  const worker = async () => {
    const reused = await Reused.make();
    while (next < FIRST + SEEDS) {
      const seed = next++;
      await survives(seed, reused).catch((problem) => failures.push(problem.message));
      reused.clean();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  assert.equal(failures.length, 0, `${failures.length} of ${SEEDS}:\n${failures.slice(0, 20).join('\n')}`);
});
