import { afterEach, expect, test, vi } from 'vitest';
import { newId } from '#adapters/ids/new-id.ts';

const MANY = 10_000;
const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
afterEach(() => void vi.useRealTimers());

const timeOf = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

test('ids are different UUIDs of version 7 that begin with the time', () => {
  const before = Date.now();
  const ids = Array.from({ length: MANY }, newId);
  const after = Date.now();
  expect(new Set(ids).size).toBe(MANY);
  for (const id of ids) {
    expect(id).toMatch(VERSION_7);
    expect(timeOf(id) >= before && timeOf(id) <= after).toBe(true);
  }
});

test('no two ids share their random end', () => {
  const ends = Array.from({ length: MANY }, () => newId().slice(-10));
  expect(new Set(ends).size).toBe(MANY);
});

test('ids ascend, also within a millisecond and when the clock is set back', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  const ids = Array.from({ length: 1_000 }, newId);
  vi.setSystemTime(Date.now() - 5_000);
  ids.push(newId(), newId());
  vi.setSystemTime(Date.now() + 20_000);
  ids.push(newId());
  expect(ids).toEqual(ids.toSorted());
});

test('two ids do not reveal how many were made in between', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  const sequenceOf = (id: string) => BigInt(`0x${id.slice(15).replaceAll('-', '').slice(0, 8)}`);
  const steps = new Set<bigint>();
  for (let made = 0; made < 100; made++) {
    const before = sequenceOf(newId());
    vi.setSystemTime(Date.now() + 1);
    steps.add(sequenceOf(newId()) - before);
    vi.setSystemTime(Date.now() + 1);
  }
  expect(steps.size).toBeGreaterThan(90);
});
