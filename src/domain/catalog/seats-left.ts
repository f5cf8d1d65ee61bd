/** Over all dates to come. */
export type SeatsLeft = {
  readonly available: number;
  /** Not paid yet, so they may become available again. */
  readonly held: number;
};
