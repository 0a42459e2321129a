// The walks of docs/developing.md, done on a copy of the tree: their blocks apply, the checks pass, what they touch builds, and the tests
// that they add pass. The copy and its builds are in build/walks, always at the same path, so that ccache finds them again.
import { test, before, after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Postgres } from '../e2e/harness.mjs';

const ROOT = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const HERE = path.join(ROOT, 'build/walks');
const TREE = path.join(HERE, 'tree');
const MINUTES = 60_000;

// As scripts/build: precompiled headers and unity files are cached.
const ENV = { ...process.env, CCACHE_SLOPPINESS: 'pch_defines,time_macros,include_file_mtime,include_file_ctime' };

function run(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: TREE, env: ENV, encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  assert.equal(done.status, 0, `${program} ${args.join(' ')}\n${done.error ?? ''}${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** The blocks of each walk, in their order: {file, text} or {patch}. */
function readWalks() {
  const walks = new Map();
  const marked = /^<!-- walk: (\w+) (?:file: (\S+)|patch) -->\n```\w+\n([\s\S]*?)^```$/gm;
  const text = readFileSync(path.join(ROOT, 'docs/developing.md'), 'utf8');
  for (const [, walk, file, body] of text.matchAll(marked)) {
    // An empty line of context may have lost its blank.
    const block = file ? { file, text: body } : { patch: body.replace(/^$(?=\n)/gm, ' ') };
    walks.set(walk, [...(walks.get(walk) ?? []), block]);
  }
  assert.equal([...text.matchAll(/<!-- walk: /g)].length, [...walks.values()].flat().length, 'a marker without its block');
  return walks;
}

const walks = readWalks();
let touched = [];

/** Applies a walk to the copy; the files it touched. */
function apply(walk) {
  for (const { file, text, patch } of walks.get(walk)) {
    if (file) {
      assert.ok(!existsSync(path.join(TREE, file)), `${file} is there already`);
      touched.push(file);
      mkdirSync(path.dirname(path.join(TREE, file)), { recursive: true });
      writeFileSync(path.join(TREE, file), text);
      continue;
    }
    for (const [, name] of patch.matchAll(/^\+\+\+ b\/(.*)$/gm)) touched.push(name);
    run('git', ['apply', '-C1', '--recount', '-'], { input: patch });
  }
  return touched;
}

function check(files) {
  run(path.join(TREE, 'scripts/check-layers'), []);
  const sources = files.filter((file) => /\.(h|cc)$/.test(file));
  if (sources.length > 0) run('clang-format', ['--dry-run', '-Werror', ...sources]);
  for (const file of files.filter((name) => name.endsWith('.mjs'))) run('node', ['--check', file]);
}

/** Builds targets in a build directory of the copy, made when it is first needed. */
function build(name, settings, targets) {
  const directory = path.join(HERE, name);
  if (!existsSync(path.join(directory, 'build.ninja'))) {
    run('cmake', ['-G', 'Ninja', '-S', TREE, '-B', directory, '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS=-O0 -g0', ...settings]);
  }
  run('ninja', ['-C', directory, '-j', String(os.availableParallelism?.() ?? os.cpus().length), ...targets]);
  return directory;
}

const UNITY = ['-DCMAKE_UNITY_BUILD=ON', '-DCMAKE_UNITY_BUILD_BATCH_SIZE=8'];

/** The tests of one module. */
function runTestsOf(module, filter) {
  const directory = build('unity', UNITY, [`pcw_${module}_tests`]);
  const program = execFileSync('find', [directory, '-name', `pcw_${module}_tests`, '-type', 'f'], { encoding: 'utf8' }).trim();
  const out = run(program, [`--gtest_filter=${filter}`]);
  assert.doesNotMatch(out, /Running 0 tests/);
  return out;
}

/** Compiles each touched source by itself, without what it would be linked with. */
function compile(files) {
  const sources = files.filter((file) => file.endsWith('.cc')).map((file) => `${path.join(TREE, file)}^`);
  assert.ok(sources.length > 0);
  build('plain', [], sources);
}

before(() => {
  rmSync(HERE, { recursive: true, force: true });
  mkdirSync(TREE, { recursive: true });
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: ROOT, maxBuffer: 1 << 26 }).toString();
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
  const packed = execFileSync('tar', ['-c', '--null', '-T', '-'], { cwd: ROOT, input: files.join('\0'), maxBuffer: 1 << 29 });
  run('tar', ['-x'], { input: packed });
  run('git', ['init', '-q']);
});

// The next walk begins with the tree as it is; what was changed gets a new time, so that it is built again.
afterEach(() => {
  for (const file of touched) {
    const original = path.join(ROOT, file);
    rmSync(path.join(TREE, file), { force: true });
    if (!existsSync(original)) continue;
    writeFileSync(path.join(TREE, file), readFileSync(original));
    utimesSync(path.join(TREE, file), new Date(), new Date());
  }
  touched = [];
});

after(() => rmSync(TREE, { recursive: true, force: true }));

test('add an entity', { timeout: 20 * MINUTES }, async () => {
  const files = apply('entity');
  check(files);
  // Its mapping gives the reviewed rows for its fixtures.
  const out = runTestsOf('connector', 'GoldenMappingTest.*');
  assert.match(out, /PASSED {2}\] 1 test/);
  compile(files.filter((file) => /^src\/pcw\/(api|config|cli|serve)\//.test(file)));

  // Its table has the mapping's columns, and beside them what every entity table has.
  const postgres = await Postgres.start();
  try {
    postgres.sql('CREATE DATABASE walks');
    const directory = path.join(TREE, 'sql/migrations');
    for (const file of readdirSync(directory).sort()) {
      run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-1', '-d', postgres.url('walks'), '-f', path.join(directory, file)]);
    }
    const besideTheMapping = (entity) => {
      const mapping = readFileSync(path.join(TREE, `mappings/${entity}.yaml`), 'utf8');
      const mapped = new Set([...mapping.matchAll(/^ {2}(\w+): +\{ from/gm)].map(([, column]) => column));
      const query = `SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 'partnercentral_${entity}'`;
      const columns = run('psql', ['-XqAt', '-d', postgres.url('walks'), '-c', query]).trim().split('\n').sort();
      const names = new Set(columns.map((column) => column.split(' ')[0]));
      for (const column of mapped) assert.ok(names.has(column), `partnercentral_${entity} has no column ${column}`);
      return columns.filter((column) => !mapped.has(column.split(' ')[0]));
    };
    assert.deepEqual(besideTheMapping('engagements'), besideTheMapping('solutions'));
  } finally {
    await postgres.stop();
  }
});

test('add a REST route', { timeout: 10 * MINUTES }, () => {
  const files = apply('route');
  check(files);
  compile(files);
});

test('add a finding', { timeout: 10 * MINUTES }, () => {
  const files = apply('finding');
  check(files);
  compile(files);
});

test('add a fault to the simulator', { timeout: 20 * MINUTES }, () => {
  const files = apply('fault');
  check(files);
  runTestsOf('sim', 'ServiceFaultTest.*:ParseFaultsTest.*');
});
