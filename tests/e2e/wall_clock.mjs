// pcw under a wall clock that stands wrong (wall_clock.c), for tests of time.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { scratch } from './harness.mjs';

let library;

/** The environment in which pcw's own clock is off by so many days; PostgreSQL's and AWS's are right. */
export function daysAhead(days) {
  if (!library) {
    const source = path.join(path.dirname(new URL(import.meta.url).pathname), 'wall_clock.c');
    library = path.join(scratch('pcw-clock-'), 'wall_clock.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  }
  // A build with AddressSanitizer wants to be loaded first, and says so otherwise.
  return { LD_PRELOAD: library, WALL_CLOCK_SHIFT: String(Math.round(days * 86_400)), ASAN_OPTIONS: 'verify_asan_link_order=0' };
}
