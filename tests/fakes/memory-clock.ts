/** The only clock of a world in memory. It stands still until a test moves it. */
export type MemoryClock = {
  /** Milliseconds since 1970. */
  now(): number;
  advance(milliseconds: number): void;
};

export function memoryClock(start = Date.UTC(2027, 0, 1, 9)): MemoryClock {
  let now = start;
  return {
    now: () => now,
    advance(milliseconds) {
      now += milliseconds;
    },
  };
}
