import type { Call, Said } from './calls.ts';

/** What a client wanted done, once, however often it had to ask. */
export type Command = {
  readonly userId: string;
  readonly asked: Call['asked'];
  /** It did not happen before this. */
  readonly startMs: number;
  /** It had happened by then; Infinity if nobody was told. */
  readonly endMs: number;
  readonly said: Said | undefined;
};

export type Commands = {
  readonly commands: readonly Command[];
  /** Each call that was refused changed nothing, and says how things were. */
  readonly refusals: readonly (Call & { readonly ending: { readonly kind: 'refused' } })[];
  /** What was answered differently under the same key. */
  readonly contradictions: readonly string[];
};

const CHANGES = new Set<string>(['reserve', 'extend', 'release', 'pay', 'cancel', 'charge']);

/** Takes the calls under one key together. An attempt that was refused did nothing; one that is unclear may yet do it. */
export function commandsOf(calls: readonly Call[]): Commands {
  const attempts = Map.groupBy(
    calls.filter(({ asked }) => CHANGES.has(asked.what)),
    (call) => (call.key === undefined ? call : `${call.userId} ${call.key}`),
  );
  const commands: Command[] = [];
  const refusals: Commands['refusals'][number][] = [];
  const contradictions: string[] = [];
  for (const [name, all] of attempts) {
    const effective: Call[] = [];
    for (const call of all) {
      const { ending } = call;
      if (ending.kind === 'refused') refusals.push({ ...call, ending });
      else effective.push(call);
    }
    const [first] = effective;
    if (first === undefined) continue;
    const answers = effective.flatMap(({ ending, endMs }) => (ending.kind === 'done' ? [{ ...ending, endMs }] : []));
    const different = new Set(answers.map(({ said }) => JSON.stringify(said)));
    if (different.size > 1) contradictions.push(`${String(name)} was answered ${[...different].join(' and ')}`);
    commands.push({
      userId: first.userId,
      asked: first.asked,
      startMs: Math.min(...effective.map(({ startMs }) => startMs)),
      endMs: Math.min(...answers.map(({ endMs }) => endMs)),
      said: answers[0]?.said,
    });
  }
  return { commands, refusals, contradictions };
}
