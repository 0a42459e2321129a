// Claims of jobs while somebody holds an old snapshot, which keeps every version of every job: 200 jobs a second come, are claimed and end.
// usage: node bench/claims.mjs [JOBS]     12,000 by default, one minute
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Postgres, Sim, site } from '../tests/e2e/harness.mjs';

const JOBS = Number(process.argv[2] ?? 12_000);
const PER_SECOND = 200;
const STEP = 2_000;

const psql = (postgres, where) => spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', postgres.url(where.database)], { stdio: ['pipe', 'pipe', 'inherit'] });

// A worker: a thorough look every two seconds, like a process of the service, quick ones in between. The time of each claim in milliseconds.
const WORKER = `
  SET ROLE pcw_service; SET pcw.tenant = '00000000-0000-0000-0000-000000000001';
  CREATE TEMPORARY TABLE times (n integer, ms double precision, is_thorough boolean);
  CREATE PROCEDURE pg_temp.work(jobs integer, per_second integer) LANGUAGE plpgsql AS $$
  DECLARE began timestamptz := clock_timestamp(); t timestamptz; next_thorough timestamptz := '-infinity'; is_thorough boolean; taken record; the_run uuid; the_connector bigint;
  BEGIN
    SELECT id, connector_id INTO the_run, the_connector FROM ingestion_runs LIMIT 1;
    FOR n IN 1..jobs LOOP
      INSERT INTO jobs (tenant_id, id, kind, connector_id, entity, mode, run_id, trigger) VALUES (pcw_tenant(), gen_random_uuid(), 'sync', the_connector, 'e' || n % 8, 'full', the_run, 'schedule');
      COMMIT;
      t := clock_timestamp();
      is_thorough := t >= next_thorough;
      IF is_thorough THEN next_thorough := t + interval '2 seconds'; END IF;
      SELECT * INTO STRICT taken FROM jobs_claim('bench', interval '30 seconds', interval '10 minutes', is_thorough);
      COMMIT;
      INSERT INTO times VALUES (n, extract(epoch FROM clock_timestamp() - t) * 1000, is_thorough);
      UPDATE jobs SET state = 'done', ended_at = clock_timestamp(), holder = NULL, lease_expires_at = NULL WHERE tenant_id = pcw_tenant() AND id = taken.id;
      COMMIT;
      PERFORM pg_sleep(greatest(0, extract(epoch FROM began + n * interval '1 second' / per_second - clock_timestamp())));
    END LOOP;
  END $$;
  CALL pg_temp.work(${JOBS}, ${PER_SECOND});
  SELECT n, round(p50::numeric, 2), round(p99::numeric, 2), round(worst::numeric, 2), round(thorough::numeric, 2) FROM (
    SELECT (n - 1) / ${STEP} AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99, max(ms) AS worst,
      avg(ms) FILTER (WHERE is_thorough) AS thorough FROM times GROUP BY 1) steps ORDER BY 1;
`;

const postgres = await Postgres.start({ fsync: 'on' });
const sim = await Sim.start(['--opportunities', '1', '--no-quota']);
try {
  const here = await site(postgres, sim);
  here.sql(`INSERT INTO connectors (tenant_id, kind, name, status) VALUES ('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled');
    INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, fence) SELECT tenant_id, gen_random_uuid(), id, 'e', 'full', 'queued', 'AWS', 0 FROM connectors`);
  const holder = psql(postgres, here);
  holder.stdin.write('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;\n');
  await once(holder.stdout, 'data');

  const began = performance.now();
  const worker = psql(postgres, here);
  let out = '';
  worker.stdout.setEncoding('utf8');
  worker.stdout.on('data', (chunk) => (out += chunk));
  worker.stdin.end(WORKER);
  const [code] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`psql ended with ${code}`);
  const seconds = (performance.now() - began) / 1000;
  holder.stdin.end('COMMIT;\n');
  await once(holder, 'exit');

  console.log(`${JOBS} jobs at ${Math.round(JOBS / seconds)} a second, one old snapshot; milliseconds of a claim`);
  console.log('jobs so far      p50     p99   worst   a thorough look');
  let worst99 = 0;
  for (const line of out.trim().split('\n').filter((text) => text.includes('|'))) {
    const [step, p50, p99, worst, thorough] = line.split('|');
    worst99 = Math.max(worst99, Number(p99));
    console.log(`${String((Number(step) + 1) * STEP).padStart(11)} ${p50.padStart(8)} ${p99.padStart(7)} ${worst.padStart(7)} ${thorough.padStart(9)}`);
  }
  console.log(`dead versions of jobs at the end: ${here.sql("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'jobs'")}`);
  console.log(`p99 below 5 ms in every step: ${worst99 < 5 ? 'met' : 'NOT MET'}`);
  process.exitCode = worst99 < 5 ? 0 : 1;
} finally {
  await sim.stop();
  await postgres.stop();
}
