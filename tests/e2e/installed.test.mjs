// A machine where pcw is installed: the service as a user of its own with a /tmp of its own (as systemd's PrivateTmp), command lines of its user and of root beside it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { PCW, run } from './harness.mjs';

// A user that every Debian has, in the place of the package's.
const USER = { name: 'daemon', uid: 1, gid: 1 };
const can = process.getuid() === 0 && spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp && setpriv --reuid=daemon --regid=daemon --clear-groups test -x "$0"', PCW]).status === 0;
const skip = can ? false : 'needs root, mount namespaces and a binary that others may execute';

/** The state directory as the package makes it. Not below /tmp, which the service does not see. */
function state() {
  const dir = mkdtempSync('/var/tmp/pcw-installed-');
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  chmodSync(dir, 0o755);
  const home = path.join(dir, 'state');
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, USER.uid, USER.gid);
  return home;
}

const foreign = (home) => spawnSync('find', [home, '!', '-user', USER.name], { encoding: 'utf8' }).stdout;

/** pcw as the service's user, in the machine's own /tmp. */
const asUser = (home, args) => spawnSync('setpriv', ['--reuid=daemon', '--regid=daemon', '--clear-groups', 'env', '-i', `PATH=${process.env.PATH}`, 'HOME=/nonexistent', `PCW_HOME=${home}`, PCW, ...args], { encoding: 'utf8', cwd: '/' });

test('the service with a private /tmp, its user and root work on one embedded PostgreSQL; nothing becomes root\'s', { skip }, async () => {
  const home = state();
  // Root first: what it leaves must not keep the service from starting.
  const first = await run(['runs', 'list'], { PCW_HOME: home });
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /working as daemon, who owns /);
  assert.equal(foreign(home), '');

  const service = spawn('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp && exec setpriv --reuid=daemon --regid=daemon --clear-groups "$0" serve --roles scheduler', PCW], {
    cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: '/nonexistent', PCW_HOME: home, PCW_LOGGING_FORMAT: 'json' } });
  process.on('exit', () => service.kill('SIGKILL'));
  try {
    let log = '';
    await new Promise((resolve, reject) => {
      service.stdout.on('data', (chunk) => { log += chunk; if (/"msg":"ready"/.test(log)) resolve(); });
      service.stderr.on('data', (chunk) => (log += chunk));
      service.on('exit', (code) => reject(new Error(`the service ended with ${code}: ${log}`)));
    });

    const mine = asUser(home, ['runs', 'list']);
    assert.equal(mine.status, 0, mine.stderr);
    const roots = await run(['runs', 'list'], { PCW_HOME: home });
    assert.equal(roots.code, 0, roots.stderr);
    assert.equal(foreign(home), '');
    assert.equal(service.exitCode, null, 'the service goes on');
  } finally {
    service.removeAllListeners('exit');
    if (service.exitCode === null) {
      const gone = once(service, 'exit');
      service.kill('SIGTERM');
      assert.deepEqual(await gone, [0, null]);
    }
  }
});
