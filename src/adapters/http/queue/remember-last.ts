export type Memory<T> = {
  recall(key: string): T | undefined;
  remember(key: string, value: T): void;
};

/**
 * Remembers what was used last: at least half as many as `entriesMax`, never more. Two generations, of which the older is
 * forgotten as a whole when the younger is full: no list to keep in order at each look-up.
 */
export function rememberLast<T>(entriesMax: number): Memory<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();

  function remember(key: string, value: T): void {
    if (young.size >= entriesMax / 2) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }

  return {
    remember,
    recall(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) remember(key, older);
      return older;
    },
  };
}
