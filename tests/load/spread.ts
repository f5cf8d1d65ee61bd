/** Median, smallest and largest. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spreadOf(values: readonly number[]): Spread {
  return { median: percentile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** How much of the floor's, each time beside the one measured in the same round. */
export function ratioOf(values: readonly number[], floor: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / (floor[round] ?? Number.NaN)));
}

/** Between two values, as far between them as the part asks for. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}
