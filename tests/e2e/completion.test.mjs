// What the binary tells of its own command line: completion scripts as the shells run them, and the manual page; both must say what --help says.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, scratch } from './harness.mjs';

const dir = scratch();
const OUTPUTS = ['table', 'json', 'ndjson'];

async function script(shell) {
  const result = await run(['completion', shell]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, '');
  const file = path.join(dir, `pcw.${shell}`);
  writeFileSync(file, result.stdout);
  return file;
}

function program(name, args, options = {}) {
  return spawnSync(name, args, { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir }, ...options });
}

// False, or why a test must be skipped.
function lacks(name) {
  return program(name, ['--version']).error ? `${name} is not installed` : false;
}

// What Tab offers behind these words; the last one is the one being typed.
function offered(file, words, { before = '' } = {}) {
  const lines = [before, 'source "$1" || exit 1', 'shift', 'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()', '_pcw pcw "${COMP_WORDS[COMP_CWORD]}"',
    'if ((${#COMPREPLY[@]})); then printf "%s\\n" "${COMPREPLY[@]}"; fi'];
  const result = program('bash', ['--norc', '--noprofile', '-uc', lines.join('\n'), 'bash', file, ...words], { cwd: dir });
  assert.equal(result.stderr, '', words.join(' '));
  assert.equal(result.status, 0, words.join(' '));
  return result.stdout.split('\n').filter(Boolean);
}

// [["sync"], ["sync", "run"], ...]: every command, as --help lists them.
async function commandsOfHelp(above = []) {
  const help = (await run([...above, '--help'])).stdout;
  const listed = /^Subcommands:\n((?: {2}.*\n)+)/m.exec(help)?.[1] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z]\S*)/gm)].map((match) => match[1]);
  const below = await Promise.all(names.map(async (name) => [[...above, name], ...await commandsOfHelp([...above, name])]));
  return below.flat();
}

test('bash: nouns, verbs, options, values and positionals are offered where they may stand', async () => {
  const file = await script('bash');
  const registered = program('bash', ['--norc', '--noprofile', '-c', 'source "$1" && complete -p pcw', 'bash', file]);
  assert.equal(registered.stdout, 'complete -F _pcw pcw\n', registered.stderr);

  for (const [words, expected] of [
    ['pcw sy', ['sync']],
    ['pcw sync ', ['run', 'refetch', 'plan']],
    ['pcw sync run --mo', ['--mode']],
    ['pcw sync run x y --mode ', ['full', 'incremental']],
    ['pcw sync run x y --mode = fu', ['full']],
    ['pcw sync run partn', ['partner-central']],
    ['pcw sync run partner-central opp', ['opportunities']],
    ['pcw sync run x y --resume --mo', ['--mode']],
    ['pcw quota show -o ', OUTPUTS],
    ['pcw quota show --output n', ['ndjson']],
    ['pcw --config x.yaml quota sh', ['show']],
    ['pcw --set a = b quota sh', ['show']],
    ['pcw completion ', ['bash', 'zsh', 'fish']],
    ['pcw runs show ', []],
    ['pcw unknown ', []],
  ]) assert.deepEqual(offered(file, words.split(' ')), expected, words);
  assert.deepEqual(offered(file, 'pcw runs list --mode=f'.split(' '), { before: 'COMP_WORDBREAKS=${COMP_WORDBREAKS//=}' }), []);
  assert.deepEqual(offered(file, 'pcw sync run --mode=f'.split(' '), { before: 'COMP_WORDBREAKS=${COMP_WORDBREAKS//=}' }), ['--mode=full']);
});

test('bash: behind "--" there are neither options nor commands', async () => {
  const file = await script('bash');
  assert.deepEqual(offered(file, ['pcw', '--', '']), []);
  assert.deepEqual(offered(file, ['pcw', 'sync', 'run', '--', '--']), []);
  assert.deepEqual(offered(file, ['pcw', 'sync', 'run', '--', '']), ['partner-central']);
});

test('bash: options that name a file complete file names', async () => {
  const file = await script('bash');
  writeFileSync(path.join(dir, 'my settings.yaml'), '');
  assert.deepEqual(offered(file, ['pcw', '--config', 'my']), ['my settings.yaml']);
  assert.deepEqual(offered(file, ['pcw', 'sim', '--faults', 'my']), ['my settings.yaml']);
});

test('bash offers every command that --help lists', async () => {
  const file = await script('bash');
  const commands = await commandsOfHelp();
  assert.ok(commands.length > 20, `${commands.length} commands`);
  for (const command of commands) assert.deepEqual(offered(file, ['pcw', ...command]), [command.at(-1)], command.join(' '));
});

test('zsh takes its script', { skip: lacks('zsh') }, async () => {
  const result = program('zsh', ['-n', await script('zsh')]);
  assert.equal(result.status, 0, result.stderr);
});

test('the script for zsh starts as compinit wants it and has every command', async () => {
  const result = await run(['completion', 'zsh']);
  assert.match(result.stdout, /^#compdef pcw\n/);
  for (const command of await commandsOfHelp()) assert.match(result.stdout, new RegExp(`^_pcw_${command.join('_')}\\(\\) \\{$`, 'm'));
});

test('fish takes its script, and completes by it', { skip: lacks('fish') }, async () => {
  const file = await script('fish');
  const parsed = program('fish', ['--no-config', '-n', file]);
  assert.equal(parsed.status, 0, parsed.stderr);
  for (const [line, expected] of [['pcw sy', ['sync']], ['pcw sync run --mo', ['--mode']], ['pcw sync run x y --mode ', ['full', 'incremental']], ['pcw quota show -o ', OUTPUTS], ['pcw -- ', []]]) {
    const result = program('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', file, line]);
    assert.deepEqual(result.stdout.split('\n').filter(Boolean).map((row) => row.split('\t')[0]).sort(), [...expected].sort(), line);
  }
});

test('the script for fish has every command', async () => {
  const result = await run(['completion', 'fish']);
  for (const command of await commandsOfHelp()) assert.ok(result.stdout.includes(`command' -a ${command.at(-1)} -d `), command.join(' '));
});

test('the manual page has every command and every exit code of --help', async () => {
  const page = await run(['man']);
  assert.equal(page.code, 0, page.stderr);
  const text = page.stdout.replaceAll('\\-', '-');
  for (const command of await commandsOfHelp()) assert.ok(text.includes(`pcw ${command.join(' ')}`), command.join(' '));

  const codes = /^Exit codes: ([\s\S]*?)\.$/m.exec((await run(['--help'])).stdout)[1].split(/,\s+/);
  assert.ok(codes.length >= 10);
  for (const code of codes) {
    const [, number, meaning] = /^(\d+) (.*)$/s.exec(code);
    assert.ok(text.includes(`\\fB${number}\\fR\n${meaning.replace('\n', ' ')}.`), code);
  }
});

test('the manual page is good roff', { skip: lacks('groff') }, async () => {
  const file = path.join(dir, 'pcw.1');
  writeFileSync(file, (await run(['man'])).stdout);
  const result = program('groff', ['-man', '-Tutf8', '-ww', file]);
  assert.equal(result.status, 0);
  assert.equal(result.stderr, '');
  const text = result.stdout.replaceAll(/\x1b\[[0-9;]*m|.\x08/g, '');
  assert.match(text, /NAME\n +pcw - keeps a partner's/);
  assert.match(text, /--mode full\|incremental/);
  assert.match(text, /pcw runs list -o json \| jq '\.\[0\]\.stats'/);
});
