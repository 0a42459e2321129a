// A stand-in between pcw and the simulator that spoils what AWS says of one record, by a seed: bytes, types, sizes, statuses, headers.
// The simulator's own faults are named ones; this one finds what nobody named. Every answer about other records passes untouched.
import http from 'node:http';
import { randomUUID } from 'node:crypto';

/** A small generator of its own, so that a seed means the same on every machine (mulberry32). */
export function generator(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
}

// Where the element that names `id` stands in a page, as [begin, end). The simulator writes no white space and no braces within names.
function element(body, id) {
  const at = body.indexOf(`"Id":"${id}"`);
  if (at < 0) return undefined;
  let begin = at;
  for (let depth = 0; ; --begin) {
    if (body[begin] === 0x7d) ++depth;
    if (body[begin] === 0x7b && depth-- === 0) break;
  }
  let inString = false;
  for (let end = begin, depth = 0; end < body.length; ++end) {
    const byte = body[end];
    if (inString) {
      if (byte === 0x5c) ++end;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b) ++depth;
    else if (byte === 0x7d && --depth === 0) return [begin, end + 1];
  }
  return undefined;
}

// The string values of a JSON text as [begin, end) of what stands between the quotes; names of members are not among them.
function strings(bytes) {
  const found = [];
  for (let i = 0; i < bytes.length; ++i) {
    if (bytes[i] !== 0x22) continue;
    const begin = ++i;
    while (bytes[i] !== 0x22) i += bytes[i] === 0x5c ? 2 : 1;
    if (bytes[i + 1] !== 0x3a) found.push([begin, i]);
  }
  return found;
}

const splice = (bytes, begin, end, text) => Buffer.concat([bytes.subarray(0, begin), Buffer.from(text), bytes.subarray(end)]);
const latin1 = (text) => Buffer.from(text, 'latin1');

// What may stand where a string stood: the JSON around it keeps its structure.
const VALUES = [
  ['a lone surrogate', '"Caf\\ud83d"'], ['a reversed pair', '"\\udc00\\ud800"'], ['NUL', '"a\\u0000b"'], ['invalid UTF-8', latin1('"\xff\xfe"')],
  ['an overlong form', latin1('"\xc0\xaf"')], ['a cut character', latin1('"\xe2\x82"')], ['a raw control character', '"a\u0001b"'], ['U+FFFF', '"\\uffff"'],
  ['2^64', '18446744073709551616'], ['200 digits', '9'.repeat(200)], ['1e400', '1e400'], ['a decimal', '100.5'], ['minus zero', '-0'],
  ['null', 'null'], ['true', 'true'], ['an array', '[1,2,[3]]'], ['an object', '{"a":{"b":[]}}'], ['an empty string', '""'],
  ['9,000 characters', `"${'x'.repeat(9000)}"`], ['a megabyte', `"${'y'.repeat(1 << 20)}"`], ['depth 300', '['.repeat(300) + ']'.repeat(300)],
  ['depth 100,000', '['.repeat(100_000) + ']'.repeat(100_000)], ['right to left', '"\u202ecod\u2066"'], ['a date of 2099', '"2099-12-31T23:59:59Z"'],
];

function spoilValue(bytes, random) {
  const [begin, end] = random.pick(strings(bytes));
  const [name, value] = random.pick(VALUES);
  return [`a value becomes ${name}`, splice(bytes, begin - 1, end + 1, value)];
}

function spoilId(bytes, random) {
  const [, begin, end] = /"Id":()/.exec(bytes.toString('latin1')) && (() => {
    const at = bytes.indexOf('"Id":"');
    return [0, at + 5, bytes.indexOf('"', at + 6) + 1];
  })();
  const [name, value] = random.pick([...VALUES.slice(0, 13), ['null', 'null'], ['9,000 characters', `"${'O'.repeat(9000)}"`], ['an object', '{}']]);
  return [`the id becomes ${name}`, splice(bytes, begin, end, value)];
}

function dropMember(bytes, random) {
  const text = bytes.toString('latin1');
  const members = [...text.matchAll(/"[A-Za-z]+":"[^"\\]*",/g)];
  if (members.length === 0) return spoilValue(bytes, random);
  const member = random.pick(members);
  return [`without ${member[0].split('"')[1]}`, Buffer.concat([bytes.subarray(0, member.index), bytes.subarray(member.index + member[0].length)])];
}

function doubleMember(bytes, random) {
  const text = bytes.toString('latin1');
  const members = [...text.matchAll(/"[A-Za-z]+":"[^"\\]*",/g)];
  if (members.length === 0) return spoilValue(bytes, random);
  const member = random.pick(members);
  const name = member[0].split('"')[1];
  return [`${name} twice`, splice(bytes, member.index, member.index, `"${name}":"other",`)];
}

// Anything at all: only for answers that hold one record alone.
function spoilBytes(bytes, random) {
  const out = Buffer.from(bytes);
  const count = 1 + random.below(8);
  for (let i = 0; i < count; ++i) out[random.below(out.length)] = random.below(256);
  return [`${count} random bytes`, out];
}

function cut(bytes, random) {
  return ['cut under its whole length', bytes.subarray(0, random.below(bytes.length)), { cut: true }];
}

const DETAIL = [
  spoilValue, spoilValue, spoilValue, spoilId, dropMember, doubleMember, spoilBytes, spoilBytes, cut,
  (bytes) => ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])],
  (bytes) => ['bytes after the end', Buffer.concat([bytes, Buffer.from('}]')])],
  (bytes, random) => ['only white space', Buffer.alloc(random.below(40), ' ')],
  (bytes, random) => {
    const status = random.pick([400, 403, 404, 409, 413, 418, 429, 500, 502, 503, 504]);
    const type = random.pick(['AccessDeniedException', 'ResourceNotFoundException', 'ValidationException', 'ConflictException', 'InternalServerException', 'Unheard\u0001Of', '']);
    return [`status ${status} ${type}`, latin1(JSON.stringify({ __type: type, Message: `${'é'.repeat(300)}\u0000\ud83d`, ErrorList: [{ FieldName: 'a\u0000b', Message: '\u202e' }] })), { status }];
  },
  (bytes) => ['a request id that is not ASCII', bytes, { headers: { 'x-amzn-RequestId': 'r\xff"\\' } }],
  (bytes) => ['no Date', bytes, { dateless: true }],
  (bytes) => ['a Date of next year', bytes, { headers: { Date: 'Fri, 31 Dec 2027 23:59:59 GMT' } }],
  (bytes, random) => ['headers of 20 kB', bytes, { headers: { 'x-junk': 'j'.repeat(1000 * (1 + random.below(20))) } }],
  (bytes) => ['another content type', bytes, { headers: { 'Content-Type': 'text/html' } }],
];
const ITEM = [spoilValue, spoilValue, spoilId, spoilId, dropMember, doubleMember];

// What the simulator answered to a request, for all proxies of a process: its data does not change, and thousands of scans ask the same.
const answered = new Map();

function fetched(target, request, body, agent) {
  const key = `${target} ${request.headers['x-amz-target']} ${body.toString('latin1')}`;
  if (!answered.has(key)) {
    const { hostname, port } = new URL(target);
    answered.set(key, new Promise((resolve, reject) => {
      const onward = http.request({ hostname, port, path: request.url, method: request.method, headers: request.headers, agent }, (answer) => {
        const parts = [];
        answer.on('data', (chunk) => parts.push(chunk));
        answer.on('end', () => resolve({ statusCode: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) }));
      });
      onward.on('error', reject);
      onward.end(body);
    }));
  }
  return answered.get(key).then((answer) => ({ ...answer, headers: { ...answer.headers, date: new Date().toUTCString(), 'x-amzn-requestid': randomUUID() } }));
}

/**
 * Starts a proxy to the simulator at `target` that spoils what is said of `id`: in its details (GetOpportunity), or in its element of a page.
 * `what` says what it did, `bytes` what it served in the record's place; both undefined until the record was asked for.
 */
export async function corruptingProxy(target, { seed, id }) {
  const random = generator(seed);
  const inList = random.below(3) === 0;
  const corrupt = random.pick(inList ? ITEM : DETAIL);
  const proxy = { where: inList ? 'list' : 'detail', what: undefined, bytes: undefined };
  let choice;  // the same each time the record is asked for
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      fetched(target, request, body, proxy.agent).then((answer) => {
        let { bytes } = answer;
        const operation = (request.headers['x-amz-target'] ?? '').split('.')[1];
        let how = {};
        let touched = false;
        if (!inList && operation === 'GetOpportunity' && body.includes(`"${id}"`)) {
          choice ??= corrupt(bytes, random);
          [proxy.what, bytes, how = {}] = choice;
          proxy.bytes = bytes;
          touched = true;
        } else if (inList && operation === 'ListOpportunities') {
          const place = element(bytes, id);
          if (place) {
            choice ??= corrupt(bytes.subarray(...place), random);
            [proxy.what, proxy.bytes] = choice;
            bytes = splice(bytes, ...place, proxy.bytes);
            touched = true;
          }
        }
        if (!touched) {
          response.writeHead(answer.statusCode, answer.headers);
          response.end(bytes);
          return;
        }
        // Written by hand: Node.js refuses what AWS's front ends have sent.
        const headers = new Map(Object.entries(answer.headers).filter(([name]) => !['content-length', 'connection', 'date', 'x-amzn-requestid', 'content-type'].includes(name)));
        const kept = { Date: answer.headers.date, 'x-amzn-RequestId': answer.headers['x-amzn-requestid'], 'Content-Type': answer.headers['content-type'], ...how.headers };
        for (const [name, value] of Object.entries(kept)) if (value !== undefined && !(how.dateless && name === 'Date')) headers.set(name, value);
        const length = how.cut ? bytes.length + 1 : bytes.length;
        let head = `HTTP/1.1 ${how.status ?? answer.statusCode} X\r\nContent-Length: ${length}\r\nConnection: close\r\n`;
        for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
        response.socket.end(Buffer.concat([latin1(`${head}\r\n`), bytes]));
      }).catch(() => request.socket.destroy());
    });
  });
  server.keepAliveTimeout = 60_000;
  proxy.agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  proxy.stop = () => {
    proxy.agent.destroy();
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return proxy;
}
