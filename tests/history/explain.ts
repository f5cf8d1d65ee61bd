/** Something that was asked of an object, by clients who know when they asked and when they were told that it was done. */
export type Timed<Op> = {
  readonly op: Op;
  readonly startMs: number;
  /** Infinity where nobody was told: it happened at any time since, or never. */
  readonly endMs: number;
};

export type Step<State> = { readonly state: State; readonly atMs: number };

/** What an object does when it is asked one thing at a time. */
export type Model<State, Op> = {
  readonly initial: State;
  /** The same for the same states, and for no others. */
  nameOf(state: State): string;
  /**
   * What may come of an operation that happens at `fromMs` or later: each with the earliest moment at which it may. None, if
   * it cannot have happened.
   */
  steps(state: State, op: Op, fromMs: number): readonly Step<State>[];
  /** The moment from which something is impossible that is possible in this state before; Infinity if there is none. */
  deadlineMs(state: State): number;
  describe(op: Op): string;
};

export type Explanation =
  | { readonly found: true }
  /** `why` says how far any order got. */
  | { readonly found: false; readonly decided: boolean; readonly why: string };

/** A history of some hundred operations takes about as many; a contradiction among a dozen at once takes thousands. */
export const STATES_MAX = 200_000;

/** A beginning of an order, and what it leads to. */
type Beginning<State> = {
  /** Of what is certain, by start: all before this one have happened. */
  readonly first: number;
  /** And these after it. */
  readonly beyond: readonly number[];
  /** Of what is uncertain, these have happened. */
  readonly also: readonly number[];
  readonly state: State;
  /** The last of it happened at this moment or later. */
  readonly atMs: number;
};

/**
 * Looks for an order in which everything that was answered happened, each thing between its start and its end, so that every
 * answer is the one that the model gives. What nobody was told of may be in it anywhere after its start, or not at all.
 *
 * Wing and Gong's search, with Lowe's memory of where it has been: what comes next is one of those that began before the
 * first of the others ended. As deadlines are part of the models, an order carries the earliest moment of its last step.
 * It gives up after so many states: that is no explanation either.
 */
export function explain<State, Op>(
  model: Model<State, Op>,
  operations: readonly Timed<Op>[],
  statesMax = STATES_MAX,
): Explanation {
  const byStart = operations.toSorted((a, b) => a.startMs - b.startMs);
  const certain = byStart.filter(({ endMs }) => endMs !== Number.POSITIVE_INFINITY);
  const uncertain = byStart.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY);
  const been = new Set<string>();
  const root = { first: 0, beyond: [], also: [], state: model.initial, atMs: Number.NEGATIVE_INFINITY };
  let furthest: Beginning<State> = root;

  const open: Beginning<State>[] = [root];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.first === certain.length) return { found: true };
    const name = `${at.first} ${at.beyond} ${at.also} ${at.atMs} ${model.nameOf(at.state)}`;
    if (been.has(name)) continue;
    been.add(name);
    if (been.size > statesMax) return { found: false, decided: false, why: `not decided after ${statesMax} states` };
    if (lengthOf(at) > lengthOf(furthest)) furthest = at;
    // The last is looked at first: what is certain and ends soonest.
    open.push(...next(at));
  }
  return { found: false, decided: true, why: whereItEnds(furthest) };

  function next(from: Beginning<State>): Beginning<State>[] {
    const candidates = candidatesAfter(from);
    const firstEndMs = Math.min(...candidates.map((index) => endOf(index)));
    const ends = candidates.toSorted((a, b) => endOf(b) - endOf(a));
    const continued: Beginning<State>[] = [];
    for (const index of ends) {
      for (const { state, atMs } of stepsOf(from, certain[index] as Timed<Op>)) {
        const after = { ...from, ...passed(from, index), state, atMs };
        // What changes nothing and stands in nobody's way may as well happen now: no other order has to be looked at.
        const isSame = model.nameOf(state) === model.nameOf(from.state);
        if (isSame && atMs <= Math.min(firstEndMs, model.deadlineMs(state))) return [after];
        continued.push(after);
      }
    }
    const unlikely = uncertain.flatMap((operation, index) => {
      if (operation.startMs > firstEndMs || from.also.includes(index)) return [];
      return stepsOf(from, operation)
        .filter(({ state }) => model.nameOf(state) !== model.nameOf(from.state))
        .map(({ state, atMs }) => ({ ...from, also: inserted(from.also, index), state, atMs }));
    });
    return [...unlikely, ...continued];
  }

  /** Those that began before any other of them ended. */
  function candidatesAfter({ first, beyond }: Beginning<State>): number[] {
    const candidates: number[] = [];
    let firstEndMs = Number.POSITIVE_INFINITY;
    for (let index = first; index < certain.length; index++) {
      if (beyond.includes(index)) continue;
      const { startMs, endMs } = certain[index] as Timed<Op>;
      if (startMs > firstEndMs) break;
      firstEndMs = Math.min(firstEndMs, endMs);
      candidates.push(index);
    }
    return candidates.filter((index) => (certain[index]?.startMs ?? 0) <= firstEndMs);
  }

  function stepsOf({ state, atMs }: Beginning<State>, { op, startMs, endMs }: Timed<Op>): readonly Step<State>[] {
    return model.steps(state, op, Math.max(atMs, startMs)).filter((step) => step.atMs <= endMs);
  }

  function endOf(index: number): number {
    return certain[index]?.endMs ?? Number.POSITIVE_INFINITY;
  }

  function whereItEnds(end: Beginning<State>): string {
    const stuck = candidatesAfter(end).map((index) => describe(certain[index] as Timed<Op>));
    const unclear = uncertain.length === 0 ? '' : `, whatever of ${uncertain.length} unclear ones happened`;
    return `after ${lengthOf(end)} of ${certain.length} it is ${model.nameOf(end.state)}, and none of these can be next${unclear}: ${stuck.join('; ')}`;
  }

  function describe({ op, startMs, endMs }: Timed<Op>): string {
    return `${model.describe(op)} (${Math.round(startMs)}–${Math.round(endMs)} ms)`;
  }
}

function lengthOf({ first, beyond }: { readonly first: number; readonly beyond: readonly number[] }): number {
  return first + beyond.length;
}

function passed(from: { readonly first: number; readonly beyond: readonly number[] }, index: number) {
  let first = from.first;
  const beyond = inserted(from.beyond, index);
  while (beyond[0] === first) {
    beyond.shift();
    first++;
  }
  return { first, beyond };
}

function inserted(sorted: readonly number[], index: number): number[] {
  return [...sorted, index].toSorted((a, b) => a - b);
}
