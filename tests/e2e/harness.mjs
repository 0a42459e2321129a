// What end-to-end tests share: the built binary, a throw-away PostgreSQL server, the simulator, and a clean environment for each test.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, readdirSync, existsSync, chownSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';

export const PCW = process.env.PCW_BIN ?? path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../build/release/bin/pcw');
export const ACCESS_KEY = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

// Secrets that pcw is given in tests. Whatever it prints is searched for them, and whatever it keeps, when the server stops (I29).
const canaries = new Set([SECRET_KEY]);
const kept = new Set();
/** Adds a secret that must appear nowhere. */
export function canary(secret) {
  canaries.add(secret);
  return secret;
}

function assertNoCanary(text, where) {
  for (const secret of canaries) if (text.includes(secret)) throw new Error(`a secret (${secret.slice(0, 4)}...) is in ${where}`);
}

function assertNoCanaryIn(directories) {
  const there = directories.filter((dir) => existsSync(dir));
  const found = spawnSync('grep', ['-rlaF', ...[...canaries].flatMap((secret) => ['-e', secret]), '--', ...there], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (there.length > 0 && found.status !== 1) throw new Error(`secrets are kept in: ${found.stdout}${found.stderr}`);
}
const IS_ROOT = process.getuid() === 0;
const DEADLINE_MS = 120_000;
process.setMaxListeners(0);  // every child and every directory is cleaned up at exit

function postgresBin(name) {
  const root = '/usr/lib/postgresql';
  for (const version of existsSync(root) ? readdirSync(root).sort((a, b) => b - a) : []) {
    const file = path.join(root, version, 'bin', name);
    if (existsSync(file)) return file;
  }
  throw new Error(`no PostgreSQL server program ${name}; install postgresql-15`);
}

// Debian's /usr/bin/psql is a script that looks for it: four times the time of a small question, and the tests ask thousands.
let PSQL;

// PostgreSQL refuses to run as root.
function asServerUser(file, args) {
  return IS_ROOT ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--init-groups', '--', file, ...args]] : [file, args];
}

/** A directory that is removed when the test process ends. */
export function scratch(prefix = 'pcw-e2e-') {
  const dir = mkdtempSync(path.join(tmpdir(), prefix));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** One throw-away server on a private socket; databases are made per test. */
export class Postgres {
  static async start({ fsync = 'off' } = {}) {
    const server = new Postgres();
    server.dir = scratch('pcw-pg-');
    if (IS_ROOT) {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
      chownSync(server.dir, uid, gid);
    }
    chmodSync(server.dir, 0o700);
    server.data = path.join(server.dir, 'data');
    const init = asServerUser(postgresBin('initdb'), ['-D', server.data, '-A', 'trust', '-U', 'postgres', '--locale=C.UTF-8', '-E', 'UTF8', '-N']);
    execFileSync(init[0], init[1], { stdio: 'pipe', cwd: '/' });
    server.options = ['-D', server.data, '-k', server.dir, '-c', 'listen_addresses=', '-c', `fsync=${fsync}`, '-c', 'max_connections=60'];
    await server.launch();
    return server;
  }

  async launch() {
    const [file, args] = asServerUser(postgresBin('postgres'), this.options);
    this.process = spawn(file, args, { stdio: 'ignore', cwd: '/' });
    process.on('exit', () => this.process.kill('SIGQUIT'));
    const give_up = Date.now() + 30_000;
    while (Date.now() < give_up) {
      try {
        this.sql('SELECT 1');
        return;
      } catch {
        await new Promise((done) => setImmediate(done));
      }
    }
    throw new Error('PostgreSQL did not start');
  }

  /** `pg_ctl -m immediate`: as if the machine had lost power. */
  async stopImmediately() {
    const gone = once(this.process, 'exit');
    this.process.kill('SIGQUIT');
    await gone;
  }

  url(database = 'postgres', user = 'postgres') {
    return `postgresql://${user}@/${database}?host=${encodeURIComponent(this.dir)}`;
  }

  sql(text, database = 'postgres') {
    return execFileSync(PSQL ??= postgresBin('psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', this.url(database), '-c', text], { stdio: 'pipe', encoding: 'utf8', maxBuffer: 1 << 28 }).trim();
  }

  async makeTemplate(name, binary) {
    this.sql(`CREATE DATABASE ${name}`);
    const done = await run(['db', 'migrate'], { PCW_DATABASE_URL: this.url(name), PCW_HOME: this.dir }, { binary });
    if (done.code !== 0) throw new Error(`db migrate: ${done.stderr}`);
    return name;
  }

  /** A database with the schema of `binary`, copied from one that was migrated by its `db migrate`. */
  async createDatabase(binary = PCW) {
    const name = `t${process.pid}_${(Postgres.serial = (Postgres.serial ?? 0) + 1)}`;
    this.templates ??= new Map();
    if (!this.templates.has(binary)) this.templates.set(binary, this.makeTemplate(`pcw_template${this.templates.size || ''}`, binary));
    this.sql(`CREATE DATABASE ${name} TEMPLATE ${await this.templates.get(binary)}`);
    return name;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGINT');
      await gone;
    }
    assertNoCanaryIn([this.dir, ...kept]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A running `pcw sim` and its control endpoints. */
export class Sim {
  static async start(args = []) {
    const sim = new Sim();
    sim.process = spawn(PCW, ['sim', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: '/nonexistent' } });
    process.on('exit', () => sim.process.kill('SIGKILL'));
    let out = '';
    let err = '';
    sim.process.stderr.on('data', (chunk) => (err += chunk));
    sim.url = await new Promise((resolve, reject) => {
      sim.process.stdout.on('data', (chunk) => {
        out += chunk;
        const match = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(out);
        if (match) resolve(match[1]);
      });
      sim.process.on('exit', (code) => reject(new Error(`pcw sim ended with ${code}: ${err}`)));
    });
    return sim;
  }

  async get(route) {
    const answer = await fetch(this.url + route);
    if (!answer.ok) throw new Error(`${route}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return answer.headers.get('content-type')?.includes('ndjson') ? text.split('\n').filter(Boolean).map((line) => JSON.parse(line)) : JSON.parse(text);
  }

  async post(route, body = {}) {
    const answer = await fetch(this.url + route, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${route}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : {};
  }

  stats() { return this.get('/_sim/stats'); }
  calls() { return this.get('/_sim/calls'); }
  truth(catalog = 'AWS') { return this.get(`/_sim/truth?catalog=${catalog}`); }
  faults(rules) { return this.post('/_sim/faults', { rules }); }
  resetCalls() { return this.post('/_sim/reset-calls'); }
  modify(body) { return this.post('/_sim/modify', body); }
  insert(body) { return this.post('/_sim/insert', body); }
  remove(body) { return this.post('/_sim/remove', body); }

  async stop() {
    if (this.process.exitCode !== null) return;
    this.process.removeAllListeners('exit');
    const gone = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await gone;
  }
}

/** Runs pcw to its end: { code, signal, stdout, stderr }. Never inherits the caller's AWS settings. */
export function run(args, env = {}, { input, onSpawn, deadline = DEADLINE_MS, binary = PCW } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    // A character may be split between two chunks.
    child.stdout.setEncoding('utf8');
    child.stderr.setEncoding('utf8');
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`pcw ${args.join(' ')} ran longer than ${deadline} ms\n${stderr}`));
    }, deadline);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      try {
        for (const [text, name] of [[stdout, 'standard output'], [stderr, 'standard error']]) assertNoCanary(text, `${name} of pcw ${args.join(' ')}`);
      } catch (problem) {
        reject(problem);
      }
      resolve({ code, signal, stdout, stderr });
    });
    onSpawn?.(child);
  });
}

/** The environment of one test: its own database, lake, home; talks to `sim`. */
export async function site(postgres, sim, extra = {}) {
  const dir = scratch();
  const database = await postgres.createDatabase();
  const env = {
    PCW_HOME: path.join(dir, 'home'),
    PCW_LAKE_URL: `file://${path.join(dir, 'lake')}`,
    PCW_DATABASE_URL: postgres.url(database),
    AWS_ENDPOINT_URL: sim.url,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: 'us-east-1',
    ...extra,
  };
  kept.add(env.PCW_HOME).add(path.join(dir, 'lake'));
  return { dir, database, env, lake: path.join(dir, 'lake'), sql: (text) => postgres.sql(text, database), pcw: (args, more = {}, options) => run(args, { ...env, ...more }, options) };
}

/** Turns off pcw's own quota, for tests against a simulator started with --no-quota. */
export const NO_QUOTA = { PCW_QUOTA_READS_PER_SECOND: '0', PCW_QUOTA_WRITES_PER_SECOND: '0' };

/** Every opportunity that the table holds, without what may differ between two runs that did the same work. */
export function tableState(where) {
  return where.sql(`SELECT pc_opportunity_id, source_version, encode(payload_sha256, 'hex'), coalesce(customer_company_name, '~'), coalesce(expected_revenue_usd::text, '~'),
      coalesce(expected_spend_amount::text, '~'), coalesce(stage, '~'), catalog, mapping_version, missing_since IS NULL, missed_full_scans FROM partnercentral_opportunities ORDER BY 1`);
}

/** What is wrong with the table compared with the simulator's truth: ids and content hashes. Empty = equal. */
export async function differences(where, sim, catalog = 'AWS') {
  const truth = new Map((await sim.truth(catalog)).map((row) => [row.id, row.sha256]));
  const held = new Map(
    where.sql(`SELECT pc_opportunity_id, encode(payload_sha256, 'hex') FROM partnercentral_opportunities WHERE catalog = '${catalog}' AND missing_since IS NULL`)
      .split('\n').filter(Boolean).map((line) => line.split('|')));
  const wrong = [];
  for (const [id, sha256] of truth) if (held.get(id) !== sha256) wrong.push(`${id}: source ${sha256}, table ${held.get(id)}`);
  for (const id of held.keys()) if (!truth.has(id)) wrong.push(`${id}: in the table, not at the source`);
  return wrong;
}

export const BROKEN_RUNS = `SELECT id, status, stats_json FROM ingestion_runs WHERE ended_at IS NULL
      OR (stats_json->>'records_listed')::bigint <> (stats_json->>'records_skipped')::bigint + (stats_json->>'records_duplicate')::bigint
         + (stats_json->>'records_processed')::bigint + (stats_json->>'dead_lettered')::bigint
      OR (stats_json->>'records_processed')::bigint <> (stats_json->>'rows_inserted')::bigint + (stats_json->>'rows_updated')::bigint + (stats_json->>'rows_unchanged')::bigint`;

/** Runs whose counters do not add up, or that are not in a terminal state. Empty = all well. */
export function brokenRuns(where) {
  return where.sql(BROKEN_RUNS);
}

/** The newest run's stats. */
export function lastStats(where) {
  return JSON.parse(where.sql('SELECT stats_json FROM ingestion_runs ORDER BY started_at DESC, id DESC LIMIT 1'));
}
