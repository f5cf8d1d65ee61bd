/**
 * Ends a worker whose vitest is gone: nothing else would, so the instances and servers of its tests would stay too. Set up
 * before each test file, and needed once per process.
 */
const ENDS = Symbol.for('frontrow.ends-with-its-runner');
const worker = process as NodeJS.Process & { [ENDS]?: true };

if (worker[ENDS] === undefined) {
  worker[ENDS] = true;
  process.once('disconnect', () => process.exit(1));
}
