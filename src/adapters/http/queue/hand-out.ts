type Made = { readonly at: number; readonly text: Promise<string> };

/**
 * Makes a text for a key and hands it out to all who ask within `forMs`, so that a crowd costs no more than the sending. One
 * that could not be made is not handed out twice.
 */
export function handOut<Key>(
  make: (key: Key) => Promise<string>,
  { forMs, textsMax }: { readonly forMs: number; readonly textsMax: number },
): (key: Key) => Promise<string> {
  const texts = new Map<Key, Made>();

  function makeAnew(key: Key): Promise<string> {
    const made = { at: performance.now(), text: make(key) };
    texts.delete(key);
    texts.set(key, made);
    made.text.catch(() => {
      if (texts.get(key) === made) texts.delete(key);
    });
    const [oldest] = texts.size > textsMax ? texts.keys() : [];
    if (oldest !== undefined) texts.delete(oldest);
    return made.text;
  }

  return (key) => {
    const made = texts.get(key);
    return made !== undefined && performance.now() - made.at < forMs ? made.text : makeAnew(key);
  };
}
