// End-to-end benchmarks with the built binary, the simulator and a throw-away PostgreSQL on this machine. Run by scripts/bench and scripts/soak.
// usage: node bench/end_to_end.mjs [local] [memory] [live] [million]
import { readFileSync } from 'node:fs';
import { Postgres, Sim, site, differences, NO_QUOTA } from '../tests/e2e/harness.mjs';

const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const INCREMENTAL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'incremental'];
const wanted = process.argv.slice(2);
const chosen = (name) => wanted.length === 0 ? name !== 'million' : wanted.includes(name);
let failed = 0;

function report(what, value, unit, goal, isMet) {
  if (isMet === false) ++failed;
  console.log(`${what.padEnd(58)} ${String(value).padStart(10)} ${unit.padEnd(14)} ${goal}${isMet === undefined ? '' : isMet ? '  met' : '  NOT MET'}`);
}

// Peak resident memory of a child, in MiB: the kernel's own high-water mark, read until the process is gone.
function watchMemory(child) {
  let peak = 0;
  const read = () => {
    try {
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
    } catch { /* the process has ended */ }
  };
  const timer = setInterval(read, 20);
  child.on('exit', () => clearInterval(timer));
  return () => peak;
}

async function fullSync(here, deadline) {
  let memory;
  const started = process.hrtime.bigint();
  const done = await here.pcw(FULL, {}, { onSpawn: (child) => { memory = watchMemory(child); }, deadline });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (done.code !== 0) throw new Error(`exit ${done.code}: ${done.stderr}`);
  return { seconds, mib: memory() };
}

async function local(postgres, count, deadline = 600_000) {
  const sim = await Sim.start(['--opportunities', String(count), '--no-quota']);
  try {
    const here = await site(postgres, sim, NO_QUOTA);
    const { seconds, mib } = await fullSync(here, deadline);
    const wrong = count <= 20_000 ? (await differences(here, sim)).length : 0;
    if (wrong > 0) throw new Error(`${wrong} records differ from the source`);
    const rows = Number(here.sql('SELECT count(*) FROM partnercentral_opportunities'));
    if (rows !== count) throw new Error(`${rows} rows instead of ${count}`);
    postgres.sql(`DROP DATABASE ${here.database} WITH (FORCE)`);
    return { rate: count / seconds, mib };
  } finally {
    await sim.stop();
  }
}

async function live(postgres, latency) {
  const sim = await Sim.start(['--opportunities', '1000', '--latency', String(latency)]);
  try {
    const here = await site(postgres, sim);
    const done = await here.pcw(FULL, {}, { deadline: 300_000 });
    if (done.code !== 0) throw new Error(`exit ${done.code}: ${done.stderr}`);
    const reads = (await sim.calls()).filter((call) => call.operation.includes('Opportunit'));
    const at = reads.map((call) => call.arrival_us / 1e6);
    let most = 0;
    for (let first = 0, last = 0; last < at.length; ++last) {
      while (at[last] - at[first] >= 1) ++first;
      most = Math.max(most, last - first + 1);
    }
    const refused = reads.filter((call) => call.outcome.startsWith('refused')).length;
    const use = ((reads.length - 10) / 10) / (at.at(-1) - at[0]);
    report(`live, ${latency} ms: use of the read quota`, use.toFixed(4), '', 'goal >= 0.97', use >= 0.97);
    report(`live, ${latency} ms: refused calls`, refused, 'calls', 'goal 0', refused === 0);
    report(`live, ${latency} ms: most arrivals in any second`, most, 'calls', 'goal <= 12', most <= 12);
    report(`live, ${latency} ms: reads for 1,000 records`, reads.length, 'calls', 'goal 1010', reads.length === 1010);
    await sim.resetCalls();
    const again = await here.pcw(INCREMENTAL);
    if (again.code !== 0) throw new Error(`exit ${again.code}: ${again.stderr}`);
    const calls = (await sim.calls()).filter((call) => call.operation.includes('Opportunit')).map((call) => call.operation);
    report(`live, ${latency} ms: incremental with no change`, calls.length, 'calls', 'goal 1 list', calls.join() === 'ListOpportunities');
  } finally {
    await sim.stop();
  }
}

const postgres = await Postgres.start({ fsync: 'on' });
try {
  if (chosen('local')) {
    const { rate, mib } = await local(postgres, 20_000);
    report('local, 20,000 opportunities, quotas off: end to end', rate.toFixed(0), 'records/s', 'goal >= 3000', rate >= 3000);
    report('local, 20,000 opportunities: peak resident memory', mib.toFixed(1), 'MiB', 'goal <= 64', mib <= 64);
  }
  if (chosen('memory')) {
    const small = await local(postgres, 10_000);
    const large = await local(postgres, 100_000);
    report('memory, 10,000 records', small.mib.toFixed(1), 'MiB', 'goal <= 64', small.mib <= 64);
    report('memory, 100,000 records', large.mib.toFixed(1), 'MiB', 'goal <= 64', large.mib <= 64);
    report('memory, 100,000 : 10,000', (large.mib / small.mib).toFixed(2), 'ratio', 'goal <= 1.10', large.mib / small.mib <= 1.1);
  }
  if (chosen('million')) {
    const small = await local(postgres, 10_000);
    const large = await local(postgres, 1_000_000, 3_600_000);
    report('1,000,000 records: end to end', large.rate.toFixed(0), 'records/s', 'floor 1500', large.rate >= 1500);
    report('1,000,000 records: peak resident memory', large.mib.toFixed(1), 'MiB', 'goal <= 64', large.mib <= 64);
    report('1,000,000 : 10,000', (large.mib / small.mib).toFixed(2), 'ratio', 'goal <= 1.10', large.mib / small.mib <= 1.1);
  }
  if (chosen('live')) for (const latency of [50, 300, 1000]) await live(postgres, latency);
} finally {
  await postgres.stop();
}
process.exit(failed === 0 ? 0 : 1);
