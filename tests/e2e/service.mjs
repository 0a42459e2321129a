// A running `pcw serve` for end-to-end tests: its log lines, its signals, its end.
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { PCW } from './harness.mjs';

const DEADLINE_MS = 60_000;

export class Service {
  /** Starts one process and waits until it is ready. */
  static async start(env, args = []) {
    const service = new Service();
    service.lines = [];
    service.stderr = '';
    service.waiting = new Set();
    service.process = spawn(PCW, ['serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: '/nonexistent', PCW_SERVER_LISTEN: '127.0.0.1:0', ...env } });
    process.on('exit', () => service.process.kill('SIGKILL'));
    service.ended = once(service.process, 'exit');
    let rest = '';
    service.process.stdout.setEncoding('utf8');
    service.process.stderr.setEncoding('utf8');
    service.process.stderr.on('data', (chunk) => (service.stderr += chunk));
    service.process.stdout.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      for (const part of parts) service.lines.push(JSON.parse(part));
      for (const wake of service.waiting) wake();
    });
    await service.line((line) => line.msg === 'ready', 'ready');
    // A test that fails before its stop() does not keep the file from ending; the exit above kills what is left.
    for (const handle of [service.process, service.process.stdout, service.process.stderr]) handle.unref();
    return service;
  }

  /** The first log line, written already or to come, that `matches`. */
  async line(matches, what = 'a line') {
    const give_up = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = this.lines.find(matches);
      if (found) return found;
      if (this.process.exitCode !== null || Date.now() > give_up)
        throw new Error(`the service never logged ${what} (exit ${this.process.exitCode}):\n${this.stderr}\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}`);
      await new Promise((resolve) => {
        const wake = () => { this.waiting.delete(wake); clearTimeout(timer); resolve(); };
        const timer = setTimeout(wake, 1000);
        this.waiting.add(wake);
        this.process.once('exit', wake);
      });
    }
  }

  signal(name) { this.process.kill(name); }

  /** SIGTERM; its exit code and how long it took. */
  async stop() {
    if (this.process.exitCode !== null) return { code: this.process.exitCode, ms: 0 };
    const started = Date.now();
    this.process.ref();
    this.process.kill('SIGTERM');
    const [code] = await this.ended;
    return { code, ms: Date.now() - started };
  }

  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.ref();
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

/** Asks the database again and again, in a process of its own each time, until `wanted(text)` holds. */
export async function until(where, postgres, query, wanted, deadline = DEADLINE_MS) {
  const give_up = Date.now() + deadline;
  let text = '';
  while (Date.now() < give_up) {
    try {
      const done = await promisify(execFile)('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', postgres.url(where.database), '-c', query], { encoding: 'utf8' });
      text = done.stdout.trim();
      if (wanted(text)) return text;
    } catch (problem) {
      text = String(problem.stderr);  // the server may be away just now
    }
  }
  throw new Error(`still "${text}" after ${deadline} ms: ${query}`);
}
