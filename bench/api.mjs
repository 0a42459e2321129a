// The REST interface under wrk: a list and the trigger, alone, beside a run at AWS's quota, and beside one without a quota. Prints what
// each process spent, which says what bounds it.
// usage: node bench/api.mjs [SECONDS] [--base BINARY]     10 for each figure by default. With --base the same loads are put on that binary as well,
//        one after the other in one run, and what is printed are the ratios: build the commit before into another directory first.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PCW, Postgres, Sim, site, scratch, NO_QUOTA } from '../tests/e2e/harness.mjs';
import { Service } from '../tests/e2e/api_service.mjs';
import { until } from '../tests/e2e/service.mjs';

const base = process.argv.includes('--base') ? process.argv[process.argv.indexOf('--base') + 1] : undefined;
const SECONDS = Number(/^\d+$/.test(process.argv[2] ?? '') ? process.argv[2] : 10);
if (base) {
  // A process of its own for each binary: the harness takes it from the environment, once.
  const measure = async (binary) => {
    const done = await promisify(execFile)(process.execPath, [import.meta.filename ?? process.argv[1], String(SECONDS)], { encoding: 'utf8', env: { ...process.env, PCW_BIN: binary, PCW_BENCH_JSON: '1' } });
    return done.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  };
  const [before, after] = [await measure(path.resolve(base)), await measure(PCW)];
  console.log(`${''.padEnd(58)} ${'before'.padStart(8)} ${'after'.padStart(8)} ${'ratio'.padStart(7)} ${'p99 ms'.padStart(8)} ${'after'.padStart(8)}`);
  for (const [i, now] of after.entries())
    console.log(`${now.what.padEnd(58)} ${String(before[i].rate).padStart(8)} ${String(now.rate).padStart(8)} ${(now.rate / before[i].rate).toFixed(2).padStart(6)}x ${before[i].p99.toFixed(2).padStart(8)} ${now.p99.toFixed(2).padStart(8)}`);
  process.exit(0);
}
const CONNECTIONS = 32;
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds of a process and its children, dead or alive. */
function cpuOf(pid) {
  let ticks = 0;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    for (const child of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const stat = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1].split(' ');
      if (Number(stat[1]) === pid) ticks += stat.slice(11, 13).reduce((sum, field) => sum + Number(field), 0);
    }
  } catch { /* a process that ended meanwhile */ }
  return ticks / TICKS;
}

const dir = scratch();
const script = path.join(dir, 'report.lua');
writeFileSync(script, `
  if os.getenv("PCW_BODY") then wrk.method = "POST" wrk.body = os.getenv("PCW_BODY") end
  done = function(summary, latency)
    io.write(string.format('JSON {"rate":%.0f,"p50":%.2f,"p99":%.2f,"worst":%.1f,"bad":%d,"socket":%d}\\n', summary.requests * 1e6 / summary.duration,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, summary.errors.status,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
  end`);

async function load(what, service, parts, route, body) {
  const before = Object.fromEntries(Object.entries(parts).map(([name, pid]) => [name, cpuOf(pid)]));
  // Not spawnSync: the service's log must be read meanwhile, or it waits for its reader.
  const done = await promisify(execFile)('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '-s', script, '-H', `Authorization: Bearer ${service.token}`, service.url + route],
    { encoding: 'utf8', env: { PATH: process.env.PATH, ...(body ? { PCW_BODY: body } : {}) } });
  const figures = JSON.parse(/^JSON (.*)$/m.exec(done.stdout)[1]);
  if (figures.bad > 0 || figures.rate === 0) throw new Error(`${figures.bad} answers were not a success`);
  const spent = Object.entries(parts).map(([name, pid]) => `${name} ${((cpuOf(pid) - before[name]) / SECONDS).toFixed(2)}`).join(', ');
  if (process.env.PCW_BENCH_JSON) console.log(JSON.stringify({ what, ...figures }));
  console.log(`${what.padEnd(58)} ${String(figures.rate).padStart(7)} ${figures.p50.toFixed(2).padStart(8)} ${figures.p99.toFixed(2).padStart(8)}   ${spent}`);
}

const LIST = '/v1/runs?limit=20';
const TRIGGER = '/v1/connectors/partner-central/sync';
const BODY = '{"entity":"opportunities","mode":"full"}';

console.log(`${CONNECTIONS} connections, ${SECONDS} s each`);
console.log(`${''.padEnd(58)} ${'req/s'.padStart(7)} ${'p50 ms'.padStart(8)} ${'p99 ms'.padStart(8)}   CPU seconds a second`);
const postgres = await Postgres.start({ fsync: 'on' });
try {
  for (const [name, simArgs, env, roles] of [
    ['alone', ['--opportunities', '10'], {}, 'api'],
    ['beside a run at 10 calls/s', ['--opportunities', '100000'], {}, 'api,ingest'],
    ['beside a run without a quota', ['--opportunities', '1000000', '--no-quota'], NO_QUOTA, 'api,ingest'],
  ]) {
    const sim = await Sim.start(simArgs);
    const here = await site(postgres, sim, { ...env, PCW_QUOTA_READS_PER_DAY: '10000000' });
    if (!env.PCW_QUOTA_READS_PER_SECOND) Object.assign(here.env, { PCW_QUOTA_READS_PER_SECOND: '10', PCW_QUOTA_WRITES_PER_SECOND: '1' });
    const service = await Service.start(here, here.env, roles);
    const parts = { pcw: service.process.pid, postgres: postgres.process.pid, simulator: sim.process.pid };
    try {
      const made = await service.trigger(BODY);
      if (made.status !== 202) throw new Error(made.text);
      if (roles.includes('ingest')) await until(here, postgres, "SELECT count(*) FROM ingestion_runs WHERE status = 'running'", (n) => n === '1');
      for (let i = 0; i < 50; ++i) here.sql(`INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, ended_at, fence) SELECT tenant_id, gen_random_uuid(), connector_id, 'leads', 'full', 'succeeded', catalog, now(), 0 FROM ingestion_runs WHERE entity = 'opportunities'`);
      await load(`GET /v1/runs?limit=20, ${name}`, service, parts, LIST);
      await load(`POST the trigger of an open run, ${name}`, service, parts, TRIGGER, BODY);
      if (roles.includes('ingest') && here.sql("SELECT count(*) FROM ingestion_runs WHERE status = 'running'") !== '1') throw new Error('the run ended before the figures were taken');
    } finally {
      await service.stop();
      await sim.stop();
    }
  }
} finally {
  await postgres.stop();
}
