/** The reply of `open_queue`. */
export type QueueReply = {
  readonly answer: {
    readonly epoch: string;
    readonly known: boolean;
    readonly drawn: number;
    readonly head: number;
    readonly registering: boolean;
    readonly draw: { readonly seed: string; readonly count: number } | null;
    readonly sessions: {
      readonly userId: string;
      readonly sequence: number;
      readonly remainingMs: number;
      readonly joinedMs: number | null;
    }[];
    readonly paid: number[];
  };
};
