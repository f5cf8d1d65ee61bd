// npm run audit:queue -- <concertId>
import { auditQueue } from './audits/audit-queue.ts';
import { cannotTell, runAudit } from './audits/command.ts';
import type { Findings } from './audits/queue-auditor.ts';

await runAudit('audit:queue', async (pool, concertId) => {
  const { counts, inversions, duplicates, revived, waitedMs } = await auditQueue(pool, concertId);
  if (Object.values(counts).every((count) => count === 0)) return cannotTell('No events are recorded for this queue.');
  const wrong = inversions.count + duplicates.count + revived.count > 0;
  return {
    lines: [
      `admitted     ${counts.admitted}`,
      `passed over  ${counts['passed-over']}`,
      `returned     ${counts.returned}`,
      `left         ${counts.left}`,
      `forgotten    ${counts.forgotten}`,
      `restored     ${counts.restored}`,
      `ended        ${counts.ended}`,
      ...(waitedMs === undefined
        ? []
        : [
            `waited       p50 ${s(waitedMs.p50)}, p90 ${s(waitedMs.p90)}, p99 ${s(waitedMs.p99)}, max ${s(waitedMs.max)}`,
          ]),
      `inversions   ${inversions.count}`,
      ...shown(inversions),
      `duplicates   ${duplicates.count}`,
      ...shown(duplicates),
      `revived      ${revived.count}`,
      ...shown(revived),
      wrong ? 'NOT FAIR' : 'fair',
    ],
    exitCode: wrong ? 1 : 0,
  };
});

function s(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

function shown({ count, first }: Findings): string[] {
  const lines = first.map(({ eventId, sequence, order }) => `  ${eventId}: sequence ${sequence}, order ${order}`);
  return count > first.length ? [...lines, `  … and ${count - first.length} more`] : lines;
}
