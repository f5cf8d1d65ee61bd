export type Counting = {
  /** Each command has a count of its own. */
  readonly command: string;
  readonly windowMs: number;
};

/** The commands in this window, this one included, and the time left in the window. */
export type Counted = { readonly count: number; readonly remainingMs: number };

/**
 * Counts a client's commands across all instances. A window starts with the client's first command. Refuses
 * `unavailable`.
 */
export type CountCommands = (client: string, counting: Counting) => Promise<Counted>;
