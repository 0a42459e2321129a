// Dead letters in bulk: how many a second are made, listed, grouped, tried and replayed, and whether memory stays flat. Run by scripts/bench.
// usage: node bench/dlq.mjs [SMALL] [LARGE]     10,000 and 100,000 dead letters by default
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, NO_QUOTA } from '../tests/e2e/harness.mjs';

const [SMALL, LARGE] = [process.argv[2] ?? 10_000, process.argv[3] ?? 100_000].map(Number);
const DEADLINE_MS = 1_800_000;
let failed = 0;

// Peak resident memory of a child, in MiB: the kernel's own high-water mark, read until the process is gone.
function watchMemory(child) {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
    } catch { /* the process has ended */ }
  }, 5);
  child.on('exit', () => clearInterval(timer));
  return () => peak;
}

// Runs pcw to its end; tells at once, since the whole takes minutes.
async function timed(here, count, args, env, codes) {
  let memory;
  const started = process.hrtime.bigint();
  const done = await here.pcw(args, env, { onSpawn: (child) => { memory = watchMemory(child); }, deadline: DEADLINE_MS });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (!codes.includes(done.code)) throw new Error(`${args.join(' ')}: exit ${done.code}: ${done.stderr}`);
  console.error(`${count} dead letters: pcw ${args.join(' ')}: ${seconds.toFixed(1)} s, ${memory().toFixed(1)} MiB`);
  return { seconds, mib: memory(), stdout: done.stdout };
}

/** A mapping of another version that asks for a member which no record has. */
function brokenMapping(here) {
  const dir = path.join(here.dir, 'mappings');
  mkdirSync(dir, { recursive: true });
  const text = readFileSync(new URL('../mappings/opportunities.yaml', import.meta.url), 'utf8');
  const broken = text.replace(/^version: \d+/m, 'version: 1')
    .replace('closed_lost_reason:             { from: /LifeCycle/ClosedLostReason, type: text }', 'closed_lost_reason:             { from: /LifeCycle/NoSuchMember, type: text, required: true }');
  if (!broken.includes('NoSuchMember')) throw new Error('the mapping has changed: nothing is broken');
  writeFileSync(path.join(dir, 'opportunities.yaml'), broken);
  return { PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: dir };
}

const lines = (text) => text.split('\n').filter(Boolean).length;
function expect(what, found, wanted) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

async function measure(postgres, count) {
  const sim = await Sim.start(['--opportunities', String(count), '--no-quota']);
  const taken = {};
  try {
    const here = await site(postgres, sim, { ...NO_QUOTA, PCW_SYNC_STOP_AT_MISMATCH_PERCENT: '0' });
    const broken = brokenMapping(here);
    const open = () => Number(here.sql("SELECT count(*) FROM dead_letters WHERE state = 'open'"));
    taken.sync = await timed(here, count, ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'], broken, [3]);
    expect('letters', open(), count);
    await sim.stop();
    here.sql('VACUUM ANALYZE dead_letters');
    here.sql('CHECKPOINT');

    taken.list = await timed(here, count, ['dlq', 'list', '--limit', '1000000', '-o', 'ndjson'], {}, [0]);
    expect('listed', lines(taken.list.stdout), count);
    taken.groups = await timed(here, count, ['dlq', 'groups', '-o', 'json'], {}, [0]);
    expect('in groups', JSON.parse(taken.groups.stdout).reduce((sum, group) => sum + group.letters, 0), count);
    taken.dry = await timed(here, count, ['dlq', 'replay', '--all', '--dry-run'], {}, [0]);
    expect('tried', taken.dry.stdout.match(/: new row$/gm).length, count);
    taken.failing = await timed(here, count, ['dlq', 'replay', '--all', '-o', 'json'], broken, [3]);
    expect('failed again', JSON.parse(taken.failing.stdout).still_open, count);
    taken.replay = await timed(here, count, ['dlq', 'replay', '--all', '-o', 'json'], {}, [0]);
    expect('settled', JSON.parse(taken.replay.stdout).settled, count);
    expect('open', open(), 0);
    expect('rows', Number(here.sql('SELECT count(*) FROM partnercentral_opportunities')), count);
    postgres.sql(`DROP DATABASE ${here.database} WITH (FORCE)`);
    return taken;
  } finally {
    await sim.stop();
  }
}

const NAMES = { sync: 'sync, every record a dead letter', list: 'list', groups: 'groups', dry: 'replay --dry-run', failing: 'replay that fails again', replay: 'replay' };
const postgres = await Postgres.start({ fsync: 'on' });
try {
  const small = await measure(postgres, SMALL);
  const large = await measure(postgres, LARGE);
  console.log(`${''.padEnd(30)} ${String(SMALL).padStart(12)} ${String(LARGE).padStart(12)}   dead letters/s, and peak MiB`);
  for (const [key, name] of Object.entries(NAMES)) {
    const rates = [SMALL / small[key].seconds, LARGE / large[key].seconds];
    const ratio = large[key].mib / small[key].mib;
    const isFlat = ratio <= 1.1;
    const isLinear = rates[1] >= rates[0] * 0.8;
    if (!isFlat || !isLinear) ++failed;
    console.log(`${name.padEnd(30)} ${rates[0].toFixed(0).padStart(12)} ${rates[1].toFixed(0).padStart(12)}   ${small[key].mib.toFixed(1).padStart(6)} ${large[key].mib.toFixed(1).padStart(6)}`
      + `  memory ${ratio.toFixed(2)} (goal <= 1.10) ${isFlat ? 'met' : 'NOT MET'}, speed ${(rates[1] / rates[0]).toFixed(2)} (goal >= 0.80) ${isLinear ? 'met' : 'NOT MET'}`);
  }
} finally {
  await postgres.stop();
}
process.exit(failed === 0 ? 0 : 1);
