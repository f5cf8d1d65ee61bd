/** Lets so many pass at once; the others wait, and who has waited longest is next. */
export type Turnstile = { pass<Result>(work: () => Promise<Result>): Promise<Result> };

export function turnstile(atOnce: number): Turnstile {
  let free = atOnce;
  // Read from `next` on: taking the first out of a long array moves all the others.
  let waiting: (() => void)[] = [];
  let next = 0;

  function admit(): void {
    const first = waiting[next];
    if (first === undefined) {
      free++;
      return;
    }
    next++;
    if (next === waiting.length) {
      waiting = [];
      next = 0;
    }
    first();
  }
  return {
    async pass(work) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        admit();
      }
    },
  };
}
