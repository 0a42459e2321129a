// Crash safety of the lake in S3: killed around every PUT and every piece of an upload, a rerun reaches the undisturbed state.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, scratch, tableState, brokenRuns, differences, NO_QUOTA } from '../e2e/harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const KINDS = {
  'single PUTs': { opportunities: '90', settings: { PCW_SYNC_PART_RECORDS: '30' } },
  'uploads in pieces': { opportunities: '2500', settings: { PCW_SYNC_PART_RECORDS: '2500', PCW_SYNC_PART_BYTES: '7000000', PCW_LAKE_MULTIPART_THRESHOLD: '5242880' } },
};

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

for (const [kind, { opportunities, settings }] of Object.entries(KINDS)) {
  test(`kill -9 at every failpoint of ${kind}`, async (t) => {
    const sim = await Sim.start(['--opportunities', opportunities, '--seed', '11', '--no-quota']);
    try {
      const lake = (n) => ({ ...NO_QUOTA, ...settings, PCW_LAKE_URL: `s3://pcw-lake-dev/${n}` });
      const log = path.join(scratch(), 'failpoints');
      const undisturbed = await site(postgres, sim, { ...lake('undisturbed'), PCW_FAILPOINT_LOG: log });
      assert.equal((await undisturbed.pcw(SYNC)).code, 0);
      const expected = tableState(undisturbed);
      const places = new Map();
      for (const name of readFileSync(log, 'utf8').split('\n').filter((line) => line.startsWith('s3.'))) places.set(name, (places.get(name) ?? 0) + 1);
      assert.ok(places.size >= 2, [...places.keys()].join());

      let kills = 0;
      for (const [name, passages] of places) {
        for (const passage of new Set([1, Math.ceil(passages / 2), passages])) {
          const what = `${name}:${passage}`;
          const here = await site(postgres, sim, lake(`kill-${kills}`));
          const killed = await here.pcw(SYNC, { PCW_FAILPOINT: what });
          assert.equal(killed.signal, 'SIGKILL', `${what}: exit ${killed.code} ${killed.stderr}`);
          ++kills;
          const again = await here.pcw(SYNC);
          assert.equal(again.code, 0, `${what}: ${again.stderr}`);
          assert.deepEqual(tableState(here), expected, what);
          assert.equal(brokenRuns(here), '', what);
          assert.deepEqual(await differences(here, sim), [], what);
          const verified = await here.pcw(['bronze', 'verify']);
          assert.equal(verified.code, 0, `${what}: ${verified.stdout}${verified.stderr}`);
          postgres.sql(`DROP DATABASE ${here.database} WITH (FORCE)`);
        }
      }
      t.diagnostic(`${kills} kills at ${places.size} failpoints`);
    } finally {
      await sim.stop();
    }
  });
}
