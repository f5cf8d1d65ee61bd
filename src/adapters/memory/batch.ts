/**
 * Batches the calls of one tick: one command answers all items of a key, in their order. A full batch is sent at once,
 * so that Redis works while the other sockets are read; the rest is sent when the tick ends. An answer that is an error is
 * thrown to its caller.
 */
export function batched<Key, Item, Answer>(
  keyOf: (key: Key) => string,
  answer: (key: Key, items: readonly Item[]) => Promise<readonly (Answer | Error)[]>,
  batchMax: number,
): (key: Key, item: Item) => Promise<Answer> {
  type Call = { readonly item: Item; readonly resolve: (value: Answer) => void; readonly reject: (e: unknown) => void };
  type Batch = { readonly key: Key; readonly calls: Call[] };
  let batches = new Map<string, Batch>();
  let isTurnEndAwaited = false;

  function sendAll(): void {
    isTurnEndAwaited = false;
    const all = batches;
    batches = new Map();
    for (const batch of all.values()) void send(batch);
  }

  async function send({ key, calls }: Batch): Promise<void> {
    try {
      const answers = await answer(
        key,
        calls.map(({ item }) => item),
      );
      for (const [index, { resolve, reject }] of calls.entries()) {
        const one = answers[index];
        if (one instanceof Error) reject(one);
        else resolve(one as Answer);
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      // Runs after all sockets of this tick were read.
      if (!isTurnEndAwaited) setImmediate(sendAll);
      isTurnEndAwaited = true;
      const name = keyOf(key);
      const batch = batches.get(name) ?? { key, calls: [] };
      batch.calls.push({ item, resolve, reject });
      if (batch.calls.length < batchMax) {
        batches.set(name, batch);
        return;
      }
      batches.delete(name);
      void send(batch);
    });
}
