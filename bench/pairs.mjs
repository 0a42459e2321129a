// Two builds of pcw in turns, A B, B A, ...: a full sync of 20,000 opportunities, and a re-ingest of bronze with two connections. What is printed are
// the ratios pair by pair, which hold while the machine's speed drifts; a speed alone does not.
// usage: node bench/pairs.mjs --base BINARY [--pairs N] [--events N] [--only local|reingest]     10 pairs and 60,000 events by default; build the commit before into another directory first
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ACCESS_KEY, SECRET_KEY, PCW, Postgres, Sim, run, scratch, NO_QUOTA } from '../tests/e2e/harness.mjs';
import { generate } from './made_up_bronze.mjs';

const OPPORTUNITIES = 20_000;
const GOAL = 0.97;
const { values } = parseArgs({ options: { base: { type: 'string' }, pairs: { type: 'string', default: '10' }, events: { type: 'string', default: '60000' }, only: { type: 'string' } } });
if (!values.base) throw new Error('--base BINARY: the build to compare with');
const base = path.resolve(values.base);

const postgres = await Postgres.start({ fsync: 'on' });

// Seconds of one command of `binary` on an empty database, which must leave `rows` rows.
async function seconds(binary, args, env, rows) {
  const database = await postgres.createDatabase(binary);
  postgres.sql('CHECKPOINT');
  const started = process.hrtime.bigint();
  const done = await run(args, { PCW_HOME: scratch(), PCW_DATABASE_URL: postgres.url(database), ...env() }, { binary, deadline: 600_000 });
  const taken = Number(process.hrtime.bigint() - started) / 1e9;
  if (done.code !== 0) throw new Error(`${binary}: exit ${done.code}: ${done.stderr}`);
  const there = Number(postgres.sql('SELECT count(*) FROM partnercentral_opportunities', database));
  if (there !== rows) throw new Error(`${binary}: ${there} rows instead of ${rows}`);
  postgres.sql(`DROP DATABASE ${database} WITH (FORCE)`);
  return taken;
}

async function pairs(what, once) {
  const ratios = [];
  for (const binary of [base, PCW]) await once(binary); // warm: files, templates
  for (let pair = 0; pair < Number(values.pairs); ++pair) {
    const taken = {};
    for (const binary of pair % 2 === 0 ? [base, PCW] : [PCW, base]) taken[binary] = await once(binary);
    ratios.push(taken[base] / taken[PCW]);
    console.log(`${what}  pair ${String(pair + 1).padStart(2)}: before ${taken[base].toFixed(2)} s, after ${taken[PCW].toFixed(2)} s, speed ${ratios.at(-1).toFixed(3)}`);
  }
  const sorted = [...ratios].sort((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  console.log(`${what}  speed after : before, median ${median.toFixed(3)}, from ${sorted[0].toFixed(3)} to ${sorted.at(-1).toFixed(3)}  goal >= ${GOAL}  ${median >= GOAL ? 'met' : 'NOT MET'}\n`);
  if (median < GOAL) process.exitCode = 1;
}

try {
  if (values.only !== 'reingest') {
    const sim = await Sim.start(['--opportunities', String(OPPORTUNITIES), '--no-quota']);
    const env = () => ({ PCW_LAKE_URL: `file://${scratch()}`, AWS_ENDPOINT_URL: sim.url, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_REGION: 'us-east-1', ...NO_QUOTA });
    await pairs('local', (binary) => seconds(binary, ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'], env, OPPORTUNITIES));
    await sim.stop();
  }
  if (values.only !== 'local') {
    const dir = scratch('pcw-bench-');
    const { ids } = generate(dir, Number(values.events));
    const env = () => ({ PCW_LAKE_URL: `file://${path.join(dir, 'lake')}` });
    await pairs('reingest', (binary) => seconds(binary, ['bronze', 'reingest', '--entity', 'opportunities', '--connections', '2'], env, ids));
  }
} finally {
  await postgres.stop();
}
