import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Asked, Call, Ending } from '#tests/history/calls.ts';
import type { Answer } from '#tests/support/client/client.ts';

/** Writes down what clients ask and are told, on the one clock of this process. */
export type Recorder = {
  readonly calls: readonly Call[];
  /** Of those and of the calls that are about no seat and no money. */
  readonly counts: { calls: number; unclear: number };
  ask(userId: string, asked: Asked, send: (key: string) => Promise<Answer>, key?: string): Promise<Ending>;
  /** Asks about nothing that the history is about; undefined if there was no answer. */
  askAside(send: () => Promise<Answer>): Promise<Answer | undefined>;
};

const BREATH_MS = 100;

export function startRecorder(): Recorder {
  const calls: Call[] = [];
  const counts = { calls: 0, unclear: 0 };

  async function askAside(send: () => Promise<Answer>): Promise<Answer | undefined> {
    counts.calls++;
    // Reset, refused, or not answered in time.
    const answer = await send().catch(() => undefined);
    if (endingOf(answer).kind === 'unclear') counts.unclear++;
    if (answer === undefined || answer.status >= 500) await pause(BREATH_MS);
    return answer;
  }

  return {
    calls,
    counts,
    askAside,
    async ask(userId, asked, send, key = randomUUID()) {
      const startMs = performance.now();
      let endMs = Number.NaN;
      const answer = await askAside(async () => {
        const answered = await send(key);
        endMs = performance.now();
        return answered;
      });
      const ending = endingOf(answer);
      calls.push({ userId, key, asked, startMs, endMs: ending.kind === 'unclear' ? performance.now() : endMs, ending });
      return ending;
    },
  };
}

/** Of `busy` it is promised that nothing was done; of any other server's error nobody knows. */
function endingOf(answer: Answer | undefined): Ending {
  if (answer === undefined || (answer.status >= 500 && answer.body.code !== 'busy')) return { kind: 'unclear' };
  const { status, body } = answer;
  if (status < 300) return { kind: 'done', said: body as Extract<Ending, { kind: 'done' }>['said'] };
  return { kind: 'refused', code: body.code ?? String(status), said: body as object };
}
