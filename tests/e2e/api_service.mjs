// A running `pcw serve --roles api` for tests of the REST interface: its token, its requests, its raw sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { PCW, canary, NO_QUOTA } from './harness.mjs';

const UNLIMITED = { ...NO_QUOTA, PCW_SERVER_REQUESTS_PER_SECOND: '0', PCW_SERVER_MAX_CONNECTIONS_PER_ADDRESS: '2000' };

/** The first admin token out of its file, which is removed, as its reader should. */
export function takeFirstToken(file) {
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = canary(readFileSync(file, 'utf8').trim());
  rmSync(file);
  return token;
}

/** A running `pcw serve`: its address, its first token, its log. */
export class Service {
  static async start(here, env = {}, roles = 'api') {
    const service = new Service();
    service.process = spawn(PCW, ['serve', '--roles', roles], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', ...here.env, ...UNLIMITED, PCW_SERVER_LISTEN: '127.0.0.1:0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    process.on('exit', () => service.process.kill('SIGKILL'));
    service.out = '';
    service.err = '';
    service.process.stderr.on('data', (chunk) => (service.err += chunk));
    await new Promise((resolve, reject) => {
      service.process.stdout.on('data', (chunk) => {
        service.out += chunk;
        for (const line of service.lines()) {
          if (line.first_token_file && !service.token) service.token = takeFirstToken(line.first_token_file);
          if (line.first_token) service.token = canary(line.first_token);  // a binary of before, which bench/api.mjs compares with
          if (line.msg === 'serving') resolve(service.url = line.url);
        }
      });
      service.process.on('exit', (code) => reject(new Error(`pcw serve ended with ${code}: ${service.out}${service.err}`)));
    });
    service.port = Number(new URL(service.url).port);
    // A test that fails before its stop() does not keep the file from ending; the exit above kills what is left.
    for (const handle of [service.process, service.process.stdout, service.process.stderr]) handle.unref();
    return service;
  }

  lines() { return this.out.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); }

  /** One request: { status, headers, json, text }. */
  async ask(method, route, { token = this.token, body, headers = {}, from, agent } = {}) {
    const sent = { ...headers };
    if (token) sent.authorization ??= `Bearer ${token}`;
    const request = http.request({ host: '127.0.0.1', port: this.port, method, path: route, headers: sent, localAddress: from, agent });
    request.end(body);
    const [answer] = await once(request, 'response');
    answer.setEncoding('utf8');
    let text = '';
    for await (const chunk of answer) text += chunk;
    const is_json = /json/.test(answer.headers['content-type'] ?? '');
    return { status: answer.statusCode, headers: answer.headers, text, json: is_json ? JSON.parse(text) : undefined };
  }
  get(route, options) { return this.ask('GET', route, options); }
  trigger(body, options = {}) { return this.ask('POST', '/v1/connectors/partner-central/sync', { body: typeof body === 'string' ? body : JSON.stringify(body), ...options }); }

  /** Exact bytes; everything that comes back until the server closes. */
  async raw(bytes) {
    const socket = net.connect(this.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.setEncoding('latin1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
    return text;
  }

  async stop() {
    if (this.process.exitCode !== null) return this.process.exitCode;
    this.process.removeAllListeners('exit');
    const gone = once(this.process, 'exit');
    this.process.ref();
    this.process.kill('SIGTERM');
    return (await gone)[0];
  }
}

/** A token of these scopes, made by the command line. */
export async function makeToken(here, name, scopes, more = []) {
  const made = await here.pcw(['token', 'create', name, ...scopes.flatMap((scope) => ['--scope', scope]), ...more, '-o', 'json']);
  assert.equal(made.code, 0, made.stderr);
  return canary(JSON.parse(made.stdout).token);
}
