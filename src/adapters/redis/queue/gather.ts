/**
 * Lets calls that come together be answered together: those of one turn of the event loop with the same key, up to a batch,
 * in the order in which they came. A crowd then costs the store a few commands, not one each. A full batch goes at once, so
 * that the store is at work while the rest of the crowd is still being read; what is left goes when the turn is over.
 */
export function gather<Key, Item, Answer>(
  keyOf: (key: Key) => string,
  answer: (key: Key, items: readonly Item[]) => Promise<readonly Answer[]>,
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
      for (const [index, { resolve }] of calls.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      // After this turn's sockets have been read, so that all they brought goes together.
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
