// Bulk re-ingest against what else could load the same bronze, in one run on one machine and one throw-away PostgreSQL. Run by scripts/bench.
// usage: node bench/reingest.mjs [EVENTS] [--million] [--repetitions N]
//
// E1  psql: COPY of the bronze lines as text into a temporary table, extraction of the columns by SQL, newer-wins upsert; one session
// E4  the same by two sessions, lines split by hash of the id
// L   binary COPY of rows mapped beforehand, and the same merge, by psql: what the server alone needs; one session
// ours  pcw bronze reingest with 1 and 2 connections into an empty table, and again over a table that holds everything
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, run, scratch } from '../tests/e2e/harness.mjs';
import { generate, uuid } from './made_up_bronze.mjs';

const args = process.argv.slice(2);
const EVENTS = Number(/^\d+$/.test(args[0]) ? args[0] : 200_000);
const REPETITIONS = args.includes('--repetitions') ? Number(args[args.indexOf('--repetitions') + 1]) : 3;
const BATCH = 2000;

const COLUMNS = Object.entries({
  pc_opportunity_id: "p->>'Id'", arn: "p->>'Arn'", partner_opportunity_identifier: "p->>'PartnerOpportunityIdentifier'", opportunity_type: "p->>'OpportunityType'",
  stage: "p#>>'{LifeCycle,Stage}'", review_status: "p#>>'{LifeCycle,ReviewStatus}'", review_status_reason: "p#>>'{LifeCycle,ReviewStatusReason}'", review_comments: "p#>>'{LifeCycle,ReviewComments}'",
  closed_lost_reason: "p#>>'{LifeCycle,ClosedLostReason}'", next_steps: "p#>>'{LifeCycle,NextSteps}'", target_close_date: "(p#>>'{LifeCycle,TargetCloseDate}')::date",
  customer_company_name: "p#>>'{Customer,Account,CompanyName}'", customer_industry: "p#>>'{Customer,Account,Industry}'", customer_website_url: "p#>>'{Customer,Account,WebsiteUrl}'",
  customer_country_code: "p#>>'{Customer,Account,Address,CountryCode}'", customer_state_or_region: "p#>>'{Customer,Account,Address,StateOrRegion}'", customer_postal_code: "p#>>'{Customer,Account,Address,PostalCode}'",
  customer_aws_account_id: "p#>>'{Customer,Account,AwsAccountId}'", project_title: "p#>>'{Project,Title}'", customer_use_case: "p#>>'{Project,CustomerUseCase}'", delivery_models: "p#>'{Project,DeliveryModels}'",
  primary_needs_from_aws: "p->'PrimaryNeedsFromAws'", national_security: "p->>'NationalSecurity'", marketing_source: "p#>>'{Marketing,Source}'",
  expected_spend_amount: "(p#>>'{Project,ExpectedCustomerSpend,0,Amount}')::numeric", expected_spend_currency: "p#>>'{Project,ExpectedCustomerSpend,0,CurrencyCode}'",
  expected_spend_frequency: "p#>>'{Project,ExpectedCustomerSpend,0,Frequency}'",
  expected_revenue_usd: "CASE WHEN p#>>'{Project,ExpectedCustomerSpend,0,CurrencyCode}' = 'USD' THEN (p#>>'{Project,ExpectedCustomerSpend,0,Amount}')::numeric END",
  software_revenue_amount: "(p#>>'{SoftwareRevenue,Value,Amount}')::numeric", software_revenue_currency: "p#>>'{SoftwareRevenue,Value,CurrencyCode}'",
  solution_ids: "p#>'{RelatedEntityIdentifiers,Solutions}'", aws_product_ids: "p#>'{RelatedEntityIdentifiers,AwsProducts}'", source_created_at: "(p->>'CreatedDate')::timestamptz",
  source_version: "p->>'LastModifiedDate'", source_modified_at: "(p->>'LastModifiedDate')::timestamptz", payload_json: 'p', payload_sha256: "decode(m->>'sha256', 'hex')",
});
const NAMES = COLUMNS.map(([name]) => name).join(', ');
const TENANT = '00000000-0000-0000-0000-000000000001';
const RAW = "WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')";
const UPSERT = (table) => `ON CONFLICT (tenant_id, catalog, pc_opportunity_id) DO UPDATE SET ${COLUMNS.filter(([name]) => name !== 'pc_opportunity_id').map(([name]) => `${name} = excluded.${name}`).join(', ')},
  mapping_version = excluded.mapping_version, bronze_key = excluded.bronze_key, bronze_line = excluded.bronze_line, updated_at = now()
  WHERE excluded.source_modified_at >= ${table}.source_modified_at AND (excluded.payload_sha256 <> ${table}.payload_sha256 OR excluded.mapping_version <> ${table}.mapping_version)`;
const FIXED = `'${TENANT}'::uuid, 'AWS'`;
const INSERT = (table, from) => `INSERT INTO ${table} (tenant_id, catalog, ${NAMES}, mapping_version, bronze_key, bronze_line, last_seen_run)
  SELECT DISTINCT ON (pc_opportunity_id) ${FIXED}, ${NAMES}, 1, 'k', 1, '${uuid(1)}'::uuid FROM ${from} ORDER BY pc_opportunity_id, source_modified_at DESC ${UPSERT(table)};`;
const EXTRACT = `(SELECT ${COLUMNS.map(([name, sql]) => `${sql} AS ${name}`).join(', ')} FROM (SELECT line->'payload' AS p, line->'meta' AS m FROM (SELECT line::jsonb FROM raw OFFSET 0) j OFFSET 0) r) x`;

function psql(postgres, database, script) {
  const file = path.join(scratch(), 'script.sql');
  writeFileSync(file, `\\set ON_ERROR_STOP on\n\\o /dev/null\n${script}`);
  return new Promise((resolve, reject) => {
    const child = spawn('psql', ['-Xq', '-d', postgres.url(database), '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(err))));
  });
}

const sqlOne = (files) => (postgres, database) => psql(postgres, database,
  `CREATE TEMP TABLE raw (line text COMPRESSION lz4);\n${files.map((file) => `\\copy raw FROM '${file}' ${RAW}\n`).join('')}${INSERT('target', EXTRACT)}\n`);

// CPU seconds of the server: its living processes and those it has buried.
function serverCpu(postgres) {
  const parent = postgres.process.pid;
  const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const server = parent;
  const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  let ticks = 0;
  const own = stat(server);
  ticks += [11, 12, 13, 14].reduce((sum, at) => sum + Number(own[at]), 0);
  for (const child of children(server)) {
    try {
      const fields = stat(child);
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch { /* gone */ }
  }
  return ticks / 100;
}

async function timed(postgres, work) {
  const cpu = serverCpu(postgres);
  const started = process.hrtime.bigint();
  const extra = await work();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, cpu: serverCpu(postgres) - cpu, ...extra };
}

// Peak resident memory of pcw in MiB, by the kernel's own high-water mark, and its CPU seconds.
async function pcwReingest(postgres, env, connections) {
  let peak = 0;
  let cpu = 0;
  const done = await run(['bronze', 'reingest', '--entity', 'opportunities', '--connections', String(connections), '-o', 'json'], env, {
    deadline: 3_600_000,
    onSpawn: (child) => {
      const timer = setInterval(() => {
        try {
          const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
          cpu = (Number(fields[11]) + Number(fields[12])) / 100;
          peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
        } catch { /* ended */ }
      }, 20);
      child.on('exit', () => clearInterval(timer));
    },
  });
  if (done.code !== 0) throw new Error(`exit ${done.code}: ${done.stderr}`);
  return { mib: peak, client: cpu, stats: JSON.parse(done.stdout).stats };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

async function fresh(postgres, dir) {
  const database = await postgres.createDatabase();
  return { database, env: { PCW_HOME: path.join(dir, 'home'), PCW_LAKE_URL: `file://${path.join(dir, 'lake')}`, PCW_DATABASE_URL: postgres.url(database) } };
}

async function baseline(postgres, work, ids) {
  const database = await postgres.createDatabase();
  // The same table, so that the server does the same work: indexes and compression.
  postgres.sql('CREATE TABLE target (LIKE partnercentral_opportunities INCLUDING ALL)', database);
  postgres.sql('CHECKPOINT');
  const result = await timed(postgres, async () => work(postgres, database));
  const rows = Number(postgres.sql('SELECT count(*) FROM target', database));
  if (rows !== ids) throw new Error(`${rows} rows instead of ${ids}`);
  postgres.sql(`DROP DATABASE ${database} WITH (FORCE)`);
  return result;
}

async function ours(postgres, dir, connections, ids) {
  const { database, env } = await fresh(postgres, dir);
  postgres.sql('CHECKPOINT');
  const cold = await timed(postgres, () => pcwReingest(postgres, env, connections));
  if (cold.stats.rows_inserted !== ids) throw new Error(`${cold.stats.rows_inserted} rows instead of ${ids}`);
  const again = await timed(postgres, () => pcwReingest(postgres, env, connections));
  if (again.stats.rows_inserted + again.stats.rows_updated !== 0) throw new Error('the second run wrote rows');
  postgres.sql(`DROP DATABASE ${database} WITH (FORCE)`);
  return { cold, again };
}

// Rows as a COPY in binary form, in batches, for L.
async function prepare(postgres, dir, halves) {
  const database = await postgres.createDatabase();
  mkdirSync(path.join(dir, 'binary'));
  await psql(postgres, database, `CREATE TABLE raw (n bigserial, line text);\n${halves.map((file) => `\\copy raw (line) FROM '${file}' ${RAW}\n`).join('')}
    CREATE TABLE mapped AS SELECT row_number() OVER () AS n, x.* FROM ${EXTRACT};\nCREATE INDEX ON mapped (n);\nANALYZE mapped;\n`);
  const count = Number(postgres.sql('SELECT count(*) FROM mapped', database));
  const files = [];
  let script = '';
  for (let first = 1; first <= count; first += BATCH) {
    files.push(path.join(dir, 'binary', `${files.length}.bin`));
    script += `\\copy (SELECT ${NAMES} FROM mapped WHERE n >= ${first} AND n < ${first + BATCH} ORDER BY n) TO '${files.at(-1)}' WITH BINARY\n`;
  }
  await psql(postgres, database, script.replaceAll('\\o /dev/null', ''));
  postgres.sql(`DROP DATABASE ${database} WITH (FORCE)`);
  return files;
}

const binary = (files) => (postgres, database) => psql(postgres, database,
  `CREATE TEMP TABLE staged ON COMMIT DELETE ROWS AS SELECT ${NAMES} FROM target LIMIT 0;\nALTER TABLE staged ALTER COLUMN payload_json SET COMPRESSION lz4;\n`
  + files.map((file) => `BEGIN;\n\\copy staged FROM '${file}' WITH BINARY\n${INSERT('target', 'staged')}\nCOMMIT;\n`).join(''));

const postgres = await Postgres.start({ fsync: 'on' });
try {
  const dir = scratch('pcw-bench-');
  const { ids, size } = generate(dir, EVENTS);
  const halves = [0, 1].map((half) => path.join(dir, `lines-${half}.txt`));
  console.log(`${EVENTS} events of ${ids} ids, payloads of ${size.toFixed(0)} bytes; medians of ${REPETITIONS}, taken in turns\n`);
  const files = await prepare(postgres, dir, halves);
  const taken = { L: [], E1: [], E4: [], ours1: [], ours2: [], again1: [], again2: [] };
  for (let repetition = 0; repetition < REPETITIONS; ++repetition) {
    taken.L.push(await baseline(postgres, binary(files), ids));
    const one = await ours(postgres, dir, 1, ids);
    taken.ours1.push(one.cold);
    taken.again1.push(one.again);
    taken.E1.push(await baseline(postgres, sqlOne(halves), ids));
    const two = await ours(postgres, dir, 2, ids);
    taken.ours2.push(two.cold);
    taken.again2.push(two.again);
    taken.E4.push(await baseline(postgres, (pg, database) => Promise.all(halves.map((file) => sqlOne([file])(pg, database))), ids));
  }
  const rate = {};
  for (const [name, results] of Object.entries(taken)) {
    rate[name] = EVENTS / median(results.map((result) => result.seconds));
    const cpu = (median(results.map((result) => result.cpu)) / EVENTS) * 1e6;
    const mib = results[0].mib === undefined ? '' : `  pcw ${((median(results.map((result) => result.client)) / EVENTS) * 1e6).toFixed(1).padStart(5)} us/record  peak ${Math.max(...results.map((result) => result.mib)).toFixed(1)} MiB`;
    console.log(`${name.padEnd(8)} ${rate[name].toFixed(0).padStart(9)} records/s  server ${cpu.toFixed(1).padStart(5)} us/record${mib}`);
  }
  console.log('');
  const ratio = (what, value, goal) => console.log(`${what.padEnd(24)} ${value.toFixed(2).padStart(7)}  goal >= ${goal}  ${value >= goal ? 'met' : 'NOT MET'}`);
  ratio('ours1 / L', rate.ours1 / rate.L, 0.9);
  ratio('ours2 / L', rate.ours2 / rate.L, 1.8);
  ratio('ours1 / E1', rate.ours1 / rate.E1, 1);
  ratio('ours2 / E1', rate.ours2 / rate.E1, 2);
  ratio('ours2 / E4', rate.ours2 / rate.E4, 1.5);
  ratio('unchanged / E1', Math.max(rate.again1, rate.again2) / rate.E1, 10);
  const peak = Math.max(...taken.ours1.concat(taken.ours2, taken.again1, taken.again2).map((result) => result.mib));
  console.log(`peak resident memory     ${peak.toFixed(1).padStart(7)}  goal <= 128  ${peak <= 128 ? 'met' : 'NOT MET'}`);
  if (args.includes('--million')) {
    const large = scratch('pcw-bench-');
    const made = generate(large, 1_000_000);
    const { cold } = await ours(postgres, large, 2, made.ids);
    console.log(`1,000,000 events: ${(1_000_000 / cold.seconds).toFixed(0)} records/s, peak ${cold.mib.toFixed(1)} MiB, ${(cold.mib / peak).toFixed(2)} of ${EVENTS} (goal <= 1.10)`);
  }
} finally {
  await postgres.stop();
}
