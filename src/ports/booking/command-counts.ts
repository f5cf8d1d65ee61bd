export type Counting = {
  /** Each command is counted for itself. */
  readonly command: string;
  readonly windowMs: number;
};

/** How many in this window, the one that is being counted included, and for how long the window goes on. */
export type Counted = { readonly count: number; readonly remainingMs: number };

/**
 * Counts the commands of a client, at all instances together, in windows that begin with a client's first one.
 * Refuses `unavailable`.
 */
export type CountCommands = (client: string, counting: Counting) => Promise<Counted>;
