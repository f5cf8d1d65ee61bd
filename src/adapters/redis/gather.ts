/**
 * Lets calls that come together be answered together: those of one turn of the event loop with the same key, in the
 * order in which they came. A crowd then costs the store one command, not one each.
 */
export function gather<Key, Item, Answer>(
  keyOf: (key: Key) => string,
  answer: (key: Key, items: readonly Item[]) => Promise<readonly Answer[]>,
  batchMax: number,
): (key: Key, item: Item) => Promise<Answer> {
  type Call = { readonly item: Item; readonly resolve: (value: Answer) => void; readonly reject: (e: unknown) => void };
  let batches = new Map<string, { key: Key; calls: Call[] }>();

  function send(): void {
    const all = batches;
    batches = new Map();
    for (const { key, calls } of all.values()) {
      for (let from = 0; from < calls.length; from += batchMax) void settle(key, calls.slice(from, from + batchMax));
    }
  }

  async function settle(key: Key, calls: readonly Call[]): Promise<void> {
    try {
      const answers = await answer(
        key,
        calls.map(({ item }) => item),
      );
      for (const [index, { resolve }] of calls.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      // After this turn's sockets have been read, so that all they brought goes together.
      if (batches.size === 0) setImmediate(send);
      const name = keyOf(key);
      const batch = batches.get(name) ?? { key, calls: [] };
      batch.calls.push({ item, resolve, reject });
      batches.set(name, batch);
    });
}
