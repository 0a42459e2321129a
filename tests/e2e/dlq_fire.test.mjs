// Dead letters under fire (I23 to I25): two consumers on one queue, a fifth of its messages twice, messages that come twice, late and in
// another order, visibility that ends while their work goes on, kill -9 between effect and delete. Each dead letter has exactly one effect.
// 1,500 dead letters here; `scripts/soak dlq` takes 10,000.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, brokenRuns, differences, NO_QUOTA } from './harness.mjs';
import { ACCOUNT, queueDepth, sqs } from './sqs.mjs';

const LETTERS = Number(process.env.PCW_FIRE_LETTERS ?? 1500);
const KILLS = Number(process.env.PCW_FIRE_KILLS ?? 14);
const SEED = Number(process.env.PCW_FIRE_SEED ?? Date.now() % 100_000);
const DEADLINE_MS = 60_000 + LETTERS * 120;
const TENANT = '00000000-0000-0000-0000-000000000001';

// mulberry32: the same seed makes the same choices.
function draws(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

// Whatever commits is written down by the server itself: rows that change, dead letters that end.
const AUDIT = `
  CREATE TABLE effects (id text, op text);
  CREATE TABLE endings (id uuid, state text);
  CREATE FUNCTION note_effect() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO public.effects VALUES (NEW.pc_opportunity_id, TG_OP); RETURN NULL; END $$;
  CREATE FUNCTION note_ending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO public.endings VALUES (NEW.id, NEW.state); RETURN NULL; END $$;
  CREATE TRIGGER note_effect AFTER INSERT OR UPDATE ON partnercentral_opportunities FOR EACH ROW EXECUTE FUNCTION note_effect();
  CREATE TRIGGER note_ending AFTER UPDATE ON dead_letters FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_ending();`;

function brokenMapping(here) {
  const dir = path.join(here.dir, 'mappings');
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const good = 'closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text }';
  assert.ok(text.includes(good));
  writeFileSync(path.join(dir, 'opportunities.yaml'),
    text.replace(/^version: \d+/m, 'version: 1').replace(good, 'closed_lost_reason:             { from: /LifeCycle/NoSuchMember, type: text, required: true }'));
  return { PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: dir };
}

// Where a process dies: while dead letters land, and while the messages of those that have landed are deleted.
const LANDING = ['reingest.commit.before', 'reingest.commit.after', 'reingest.batch.before', 'reingest.commit.after', 'replay.run.after'];
const DELETING = ['dlq.delete.before', 'dlq.delete.after'];

test(`${LETTERS} dead letters under fire, ${KILLS} kills, seed ${SEED}: exactly one effect each`, { timeout: DEADLINE_MS + 60_000 }, async (t) => {
  const draw = draws(SEED);
  const postgres = await Postgres.start();
  const sim = await Sim.start(['--opportunities', String(LETTERS), '--seed', String(SEED), '--no-quota']);
  try {
    const url = `${sim.url}/${ACCOUNT}/fire`;
    const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0', PCW_DLQ_URL: url, PCW_DLQ_VISIBILITY: '2s' });
    here.sql(AUDIT);
    await sqs(sim.url, 'CreateQueue', { QueueName: 'fire', Attributes: { VisibilityTimeout: '2' } });
    const synced = await here.pcw(['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'], brokenMapping(here), { deadline: DEADLINE_MS });
    assert.equal(synced.code, 3, synced.stderr);
    const letters = here.sql("SELECT id FROM dead_letters WHERE state = 'open' AND delivered_at IS NOT NULL ORDER BY id").split('\n');
    assert.equal(letters.length, LETTERS);

    const copies = letters.filter((_, i) => i % 5 === 0).map((id) => ({ Id: id, MessageBody: JSON.stringify({ kind: 'pcw.dead_letter', version: 1, tenant: TENANT, letter_id: id }) }));
    for (let i = 0; i < copies.length; i += 10) await sqs(sim.url, 'SendMessageBatch', { QueueUrl: url, Entries: copies.slice(i, i + 10) });
    assert.equal((await queueDepth(sim.url, url)).all, LETTERS + copies.length);
    await sim.faults([
      { operation: 'ReceiveMessage', kind: 'sqs_duplicate', rate: 0.2 },
      { operation: 'ReceiveMessage', kind: 'sqs_reorder', rate: 0.3 },
      { operation: 'ReceiveMessage', kind: 'sqs_empty_receive', rate: 0.05 },
      { operation: 'ReceiveMessage', kind: 'delay', ms: 2500, rate: 0.01, limit: 4 },  // longer than the visibility: it ends mid-work
      { operation: 'DeleteMessageBatch', kind: 'sqs_batch_failure', n: 2, rate: 0.05 },
      { operation: 'DeleteMessageBatch', kind: 'lost_answer', rate: 0.02 },
    ]);

    let kills = 0;
    let conflicts = 0;
    let landings = 0;
    const killed = {};
    const open = () => Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"));
    const give_up = Date.now() + DEADLINE_MS;
    const consume = async () => {
      for (;;) {
        const depth = (await queueDepth(sim.url, url)).all;
        const left = open();
        assert.ok(depth >= left, `${depth} messages for ${left} open dead letters`);
        if (left === 0 && depth === 0) return;
        assert.ok(Date.now() < give_up, `${left} dead letters and ${depth} messages are left after ${DEADLINE_MS} ms`);
        // Early in its work, so that much is left for the next one.
        const isLanding = left > 0 && (kills >= KILLS || draw(3) > 0);
        // Letters land by hundreds: those points come in turn, so that each has something left to do.
        const point = isLanding ? LANDING[landings++ % LANDING.length] : DELETING[draw(DELETING.length)];
        const armed = kills < KILLS ? { PCW_FAILPOINT: `${point}:${isLanding ? 1 : 1 + draw(LETTERS / 150)}` } : {};
        const done = await here.pcw(isLanding ? ['dlq', 'replay', '--all'] : ['dlq', 'deliver'], armed, { deadline: DEADLINE_MS });
        if (done.signal === 'SIGKILL') {
          ++kills;
          killed[point] = (killed[point] ?? 0) + 1;
          continue;
        }
        // The lease is the other one's.
        const isConflict = done.code === 1 && /\bconflict\b/.test(done.stderr);
        conflicts += isConflict ? 1 : 0;
        assert.ok(isConflict || [0, 3].includes(done.code), `exit ${done.code}: ${done.stderr}`);
      }
    };
    await Promise.all([consume(), consume()]);
    await sim.faults([]);
    t.diagnostic(`killed ${kills} times: ${JSON.stringify(killed)}; ${conflicts} times the other consumer held the entity`);

    assert.ok(kills >= Math.min(KILLS, 5), `only ${kills} kills`);
    assert.equal(here.sql('SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE op <> \'INSERT\') FROM effects'), `${LETTERS}|${LETTERS}|0`);
    assert.equal(here.sql("SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE state <> 'settled') FROM endings"), `${LETTERS}|${LETTERS}|0`);
    assert.equal(here.sql('SELECT count(*) FROM dead_letters'), String(LETTERS), 'no dead letter was made by the fire');
    assert.equal(here.sql('SELECT count(*) FROM dead_letters WHERE removed_at IS NOT NULL AND removed_at < settled_at'), '0', 'a message went before its dead letter');
    assert.deepEqual(await differences(here, sim), []);
    assert.equal(brokenRuns(here).split('\n').filter((line) => line && !line.includes('|running|')).join('\n'), '');

    // And once more changes nothing.
    here.sql("UPDATE dead_letters SET state = 'open', settled_at = NULL");
    const again = await here.pcw(['dlq', 'replay', '--all'], {}, { deadline: DEADLINE_MS });
    assert.equal(again.code, 0, again.stderr);
    assert.equal(here.sql('SELECT count(*) FROM effects'), String(LETTERS));
  } finally {
    await sim.stop();
    await postgres.stop();
  }
});
