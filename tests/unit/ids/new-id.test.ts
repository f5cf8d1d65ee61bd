import { expect, test } from 'vitest';
import { newId } from '#adapters/ids/new-id.ts';

const MANY = 10_000;
const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const timeOf = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

test('ids are UUIDs of version 7, each another, and begin with the time', () => {
  const before = Date.now();
  const ids = Array.from({ length: MANY }, newId);
  const after = Date.now();
  expect(new Set(ids).size).toBe(MANY);
  for (const id of ids) {
    expect(id).toMatch(VERSION_7);
    expect(timeOf(id) >= before && timeOf(id) <= after).toBe(true);
  }
});

test('no two ids have their random end in common', () => {
  const ends = Array.from({ length: MANY }, () => newId().slice(-10));
  expect(new Set(ends).size).toBe(MANY);
});
