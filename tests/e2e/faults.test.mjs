// Every fault the simulator knows, alone and mixed: the sync succeeds, or fails by name with the right exit code, and a rerun without the fault completes it.
// PCW_FAULT_ROUNDS: how many mixed rounds, each with another seed (3; scripts/soak runs many).
import { test, describe, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, differences, brokenRuns, lastStats, NO_QUOTA } from './harness.mjs';

const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const RECORDS = 60;
const ROUNDS = Number(process.env.PCW_FAULT_ROUNDS ?? 3);
const GET = 'GetOpportunity';
const LIST = 'ListOpportunities';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

// Valid answers with other bytes than the truth has, under the version that is then held.
const ALTERS_CONTENT = new Set(['unknown_member', 'unknown_enum', 'huge_field']);

const ids = (here) => here.sql('SELECT pc_opportunity_id FROM partnercentral_opportunities WHERE missing_since IS NULL').split('\n').sort();

/** Runs a sync under `rules`, checks how it ended, then without them, until table and source agree. Returns the first run's result. */
async function survives(rules, codes, { seed = 1, env = {} } = {}) {
  const sim = await Sim.start(['--opportunities', String(RECORDS), '--no-quota', '--seed', String(seed)]);
  try {
    const here = await site(postgres, sim, { ...NO_QUOTA, PCW_CONNECTORS_PARTNER_CENTRAL_BATCH_SIZE: '20', PCW_SYNC_PART_RECORDS: '25', ...env });
    await sim.post('/_sim/faults', { seed, rules });
    const first = await here.pcw(FULL, {}, { deadline: 300_000 });
    const { outcomes } = await sim.stats();
    assert.ok(codes.includes(first.code), `exit ${first.code}, expected ${codes}\n${first.stderr}\n${JSON.stringify(outcomes)}`);
    assert.equal(brokenRuns(here), '', 'every run ended and adds up');
    const [status, error] = here.sql("SELECT status, coalesce(error_code, '') FROM ingestion_runs").split('|');
    assert.equal(status, { 0: 'succeeded', 3: 'partial' }[first.code] ?? 'failed', first.stderr);
    if (status === 'failed') assert.ok(error && first.stderr.includes(error), `a failure has a name: ${first.stderr}`);
    const stats = lastStats(here);

    await sim.faults([]);
    const second = await here.pcw(FULL);
    assert.equal(second.code, 0, `the rerun: ${second.stderr}`);
    if (rules.some((rule) => rule.kind === 'remove_between_pages')) {
      for (let sweep = 0; sweep < 2; ++sweep) assert.equal((await here.pcw(FULL)).code, 0);
    }
    const altered = rules.some((rule) => ALTERS_CONTENT.has(rule.variant ?? rule.kind));
    if (altered) assert.deepEqual(ids(here), (await sim.truth()).map((row) => row.id).sort());
    else assert.deepEqual(await differences(here, sim), []);
    assert.equal(brokenRuns(here), '');
    const live = new Set((await sim.truth()).map((row) => row.id));
    const open = here.sql("SELECT record_key FROM dead_letters WHERE state = 'open'").split('\n').filter((id) => live.has(id));
    assert.deepEqual(open, [], 'dead letters of records that landed are settled');
    return { ...first, stats };
  } finally {
    await sim.stop();
  }
}

const OK = [0];
const LETTERS = [3];
const both = (rule) => [{ ...rule, operation: GET }, { ...rule, operation: LIST }];
const alone = [
  ['throttle', both({ kind: 'throttle', rate: 0.1 }), OK],
  ['throttle with x-amz-retry-after', both({ kind: 'throttle', rate: 0.1, retry_after_ms: 30 }), OK],
  ['throttle with Retry-After', [{ kind: 'throttle', operation: GET, at: [7], retry_after_s: 1 }], OK],
  ['throttle without end', [{ kind: 'throttle', operation: GET }], [5]],
  ['error 500, JSON', both({ kind: 'error', status: 500, rate: 0.1 }), OK],
  ['error 503, HTML of a balancer', both({ kind: 'error', status: 503, body: 'html', rate: 0.1 }), OK],
  ['error 502, no body', both({ kind: 'error', status: 502, body: 'empty', rate: 0.1 }), OK],
  ['error without end on details', [{ kind: 'error', status: 500, operation: GET }], [69]],
  ['error without end on lists', [{ kind: 'error', status: 500, operation: LIST }], [69]],
  ['reset before the answer', both({ kind: 'reset', rate: 0.1 }), OK],
  ['reset within the answer', both({ kind: 'reset', after_bytes: 700, rate: 0.1 }), OK],
  ['lost answer', both({ kind: 'lost_answer', rate: 0.1 }), OK],
  ['slow answer', [{ kind: 'slow', operation: GET, bytes_per_second: 20_000, rate: 0.1 }], OK],
  ['stall', [{ kind: 'stall', operation: GET, after_bytes: 100, at: [3] }], OK],
  ['delay', both({ kind: 'delay', ms: 200, rate: 0.1 }), OK],
  ['truncated under the full length', both({ kind: 'truncate', length: 'cut', rate: 0.1 }), OK],
  ['truncated under a matching length', both({ kind: 'truncate', length: 'matched', rate: 0.1 }), OK],
  ['malformed: HTML', both({ kind: 'malformed', body: 'html', rate: 0.1 }), OK],
  ['malformed: invalid JSON', both({ kind: 'malformed', body: 'invalid_json', rate: 0.1 }), OK],
  ['malformed: a missing member', both({ kind: 'malformed', body: 'missing_member', rate: 0.1 }), OK],
  ['malformed: empty', both({ kind: 'malformed', body: 'empty', rate: 0.1 }), OK],
  ['malformed: a depth bomb', both({ kind: 'malformed', body: 'depth_bomb', rate: 0.1 }), [0, 3]],  // of a list page: one item that is kept and cannot be read
  ['expired token, once', [{ kind: 'expired_token', operation: GET, at: [30] }], OK],
  ['expired token without end', [{ kind: 'expired_token', operation: GET }], [4]],
  ['access denied on one detail', [{ kind: 'access_denied', operation: GET, at: [30] }], LETTERS],
  ['access denied on details', [{ kind: 'access_denied', operation: GET }], [4]],
  ['access denied on lists', [{ kind: 'access_denied', operation: LIST }], [4]],
  ['not found now and then', [{ kind: 'not_found', operation: GET, at: [5, 17] }], OK],
  ['a record that is never found', [{ kind: 'not_found', operation: GET, rate: 0.1, by: 'record' }], LETTERS],
  ['empty page with a token', [{ kind: 'empty_page_with_token', operation: LIST, at: [2, 3] }], OK],
  ['a page token repeated once', [{ kind: 'repeated_token', operation: LIST, at: [2] }], [0, 69]],
  ['a page token repeated for ever', [{ kind: 'repeated_token', operation: LIST }], [69]],
  ['records modified between pages', [{ kind: 'modify_between_pages', operation: LIST, n: 5 }], OK],
  ['records inserted between pages', [{ kind: 'insert_between_pages', operation: LIST, n: 5 }], OK],
  ['records removed between pages', [{ kind: 'remove_between_pages', operation: LIST, n: 5 }], [0, 3]],
  ['a record twice in a page', [{ kind: 'duplicate_in_page', operation: LIST }], OK],
  ['lists that lag', [{ kind: 'list_lag', operation: LIST, seconds: 600 }], OK],
  ['a clock ten minutes off', [{ kind: 'skew', minutes: 10 }], OK],
  ['a clock three hours off', [{ kind: 'skew', minutes: -180 }], OK],
  ['a member that no model knows', [{ kind: 'unknown_member' }], OK],
  ['a stage that no model knows', [{ kind: 'unknown_enum' }], OK],
  ...['missing_modified', 'missing_id', 'wrong_type', 'nul_in_string', 'lone_surrogate', 'invalid_utf8', 'bad_date', 'other_id'].map((variant) =>
    [`bad record: ${variant}`, [{ kind: 'bad_record', variant, operation: GET, rate: 0.1, by: 'record' }], [0, 3]]),
  ['bad record: a field of 10 MB', [{ kind: 'bad_record', variant: 'huge_field', bytes: 10_000_000, operation: GET, at: [4] }], [0, 3]],
];

describe('a fault alone', { concurrency: 4 }, () => {
  for (const [what, rules, codes] of alone) test(what, () => survives(rules, codes));
});

// What may befall any call of a bad day, each at 3 to 10 %.
function badDay(seed) {
  const rate = (n) => 0.03 + 0.07 * ((Math.imul(seed * 31 + n, 2654435761) >>> 0) / 2 ** 32);
  return [
    ...both({ kind: 'throttle', rate: rate(1), retry_after_ms: 20 }),
    ...both({ kind: 'error', status: 500, rate: rate(2) }),
    ...both({ kind: 'error', status: 503, body: 'html', rate: rate(3) }),
    ...both({ kind: 'reset', after_bytes: 300, rate: rate(4) }),
    ...both({ kind: 'lost_answer', rate: rate(5) }),
    ...both({ kind: 'truncate', length: 'cut', rate: rate(6) }),
    ...both({ kind: 'malformed', body: 'invalid_json', rate: rate(7) }),
    { operation: GET, kind: 'delay', ms: 50, rate: rate(8) },
    { operation: GET, kind: 'bad_record', variant: 'wrong_type', rate: rate(9), by: 'record' },
    { operation: GET, kind: 'not_found', rate: rate(10) },
    { operation: LIST, kind: 'modify_between_pages', n: 2, every: 2 },
    { operation: LIST, kind: 'duplicate_in_page', rate: rate(11) },
    { kind: 'unknown_member', rate: rate(12) },
  ];
}

describe('a bad day', { concurrency: 4 }, () => {
  for (let seed = 1; seed <= ROUNDS; ++seed) {
    test(`round ${seed}`, async () => {
      const result = await survives(badDay(seed), [0, 3, 5, 69], { seed });
      if (result.code >= 5) assert.equal(result.stats.resumable, true, result.stderr);
    });
  }
});
