// PgBouncer before the database: in transaction mode pcw refuses in words before it has written anything, in session mode it works.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { Postgres, run, scratch } from './harness.mjs';

const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((file) => existsSync(file));
const skip = PGBOUNCER ? false : 'pgbouncer is not installed (apt-get install pgbouncer)';

/** A pooler on a private socket, one pool mode a database. */
class Pooler {
  static async start(postgres, databases) {
    const pooler = new Pooler();
    pooler.dir = scratch('pcw-bouncer-');
    const lines = Object.entries(databases).map(([name, { dbname, mode }]) => `${name} = host=${postgres.dir} dbname=${dbname} user=postgres pool_mode=${mode}`);
    const file = path.join(pooler.dir, 'pgbouncer.ini');
    writeFileSync(file, `[databases]\n${lines.join('\n')}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = ${pooler.dir}\nauth_type = any\nlogfile = ${pooler.dir}/log\npidfile = ${pooler.dir}/pid\n`);
    const args = ['-q', file];
    if (process.getuid() === 0) {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
      chownSync(pooler.dir, uid, gid);
      args.unshift('-u', 'postgres');
    }
    chmodSync(pooler.dir, 0o700);
    pooler.process = spawn(PGBOUNCER, args, { stdio: 'ignore' });
    process.on('exit', () => pooler.process.kill('SIGKILL'));
    const give_up = Date.now() + 20_000;
    while (!readdirSync(pooler.dir).some((name) => name.startsWith('.s.PGSQL'))) {
      assert.ok(pooler.process.exitCode === null && Date.now() < give_up, 'pgbouncer did not start');
      await new Promise((done) => setImmediate(done));
    }
    return pooler;
  }

  env(name) { return { PCW_DATABASE_URL: `postgresql://postgres@/${name}?host=${encodeURIComponent(this.dir)}&port=6432`, PCW_HOME: this.dir }; }

  async stop() {
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}

test('PgBouncer in transaction mode is refused in words, in session mode it is none of our business', { skip }, async () => {
  const postgres = await Postgres.start();
  const database = await postgres.createDatabase();
  postgres.sql('CREATE DATABASE bare');
  const pooler = await Pooler.start(postgres, {
    transaction: { dbname: database, mode: 'transaction' }, statement: { dbname: database, mode: 'statement' }, session: { dbname: database, mode: 'session' },
    bare: { dbname: 'bare', mode: 'transaction' },
  });
  try {
    for (const mode of ['transaction', 'statement']) {
      const refused = await run(['runs', 'list'], pooler.env(mode));
      assert.equal(refused.code, 78, refused.stderr);
      assert.match(refused.stderr, /database\.url: a pooler in transaction mode .*pool_mode = session/);
    }
    const migrated = await run(['db', 'migrate'], pooler.env('bare'));
    assert.equal(migrated.code, 78, migrated.stderr);
    assert.equal(postgres.sql('SELECT count(*) FROM pg_tables WHERE schemaname = \'public\'', 'bare'), '0', 'nothing was written');
    const listed = await run(['runs', 'list', '-o', 'json'], pooler.env('session'));
    assert.equal(listed.code, 0, listed.stderr);
    assert.deepEqual(JSON.parse(listed.stdout), []);
  } finally {
    await pooler.stop();
    await postgres.stop();
  }
});
