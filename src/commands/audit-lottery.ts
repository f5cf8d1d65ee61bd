// npm run audit:lottery -- <concertId>
import { auditLottery } from './audits/audit-lottery.ts';
import { cannotTell, runAudit } from './audits/command.ts';

await runAudit('audit:lottery', async (pool, concertId) => {
  const audit = await auditLottery(pool, concertId);
  if (audit.status === 'no-lots') return cannotTell('This concert has no lottery.');
  if (audit.status === 'not-drawn') {
    return cannotTell(`The lots are not drawn yet. SHA-256 of the seed: ${audit.seedSha256}`);
  }
  const { seedSha256, seed, count, drawnAt, seedMatches, compared, misplaced } = audit;
  const right = seedMatches && misplaced.count === 0;
  return {
    lines: [
      `seed             ${seed}`,
      `its SHA-256      ${seedSha256}: ${seedMatches ? 'yes' : 'NO'}`,
      `people           ${count}`,
      `drawn at         ${drawnAt.toISOString()}`,
      `admissions       ${compared}`,
      `out of order     ${misplaced.count}`,
      ...misplaced.first.map(
        ({ event, expected }) =>
          `  ${event.eventId}: sequence ${event.sequence} has order ${event.order}, the draw gave ${expected}`,
      ),
      ...(misplaced.count > misplaced.first.length ? [`  … and ${misplaced.count - misplaced.first.length} more`] : []),
      `match            ${right ? 'yes' : 'NO'}`,
    ],
    exitCode: right ? 0 : 1,
  };
});
