import type { CountCommands } from '#ports/booking/command-counts.ts';
import type { Ports } from '#ports/index.ts';
import type { CheckJoin } from '#ports/queue/join-check.ts';
import type { AccessTokens } from './access-token.ts';
import { accessTokenGuard, authenticateBy, selfGuard } from './access-token-guard.ts';
import { type AdminKey, adminKeyGuard } from './admin-key.ts';
import { commandLimitGuard } from './command-limit.ts';
import type { Guard } from './guard.ts';
import { idempotencyKeyGuard } from './idempotency.ts';
import type { JoinChallenges } from './join-challenge.ts';
import { joinChallengeGuard } from './join-challenge-guard.ts';
import { type JoinCheckFailure, joinCheckGuard } from './join-check-guard.ts';
import { localLimitGuard } from './local-limit.ts';
import type { QueueTokens } from './queue-token.ts';
import { queueTokenGuard, queueTokenInQueryGuard } from './queue-token-guard.ts';
import { type SessionGuards, sessionGuards } from './session-guard.ts';

/** The guards that routes choose from. A route lists them in the order in which they run. */
export type Guards = {
  readonly accessToken: Guard;
  readonly self: Guard;
  readonly adminKey: Guard;
  readonly queueToken: Guard;
  readonly queueTokenInQuery: Guard;
  readonly idempotencyKey: Guard;
  readonly session: SessionGuards;
  readonly commandLimit: Guard;
  readonly joinLimit: Guard;
  readonly joinChallenge: Guard;
  readonly joinCheck: Guard;
  readonly pollLimit: Guard;
  /** For lists, concerts and the user's own records. */
  readonly readLimit: Guard;
};

export type GuardParts = {
  readonly ports: Ports;
  readonly accessTokens: AccessTokens;
  readonly queueTokens: QueueTokens;
  readonly adminKeys: readonly AdminKey[];
  readonly rateLimitPerMinute: number;
  readonly pollLimitPerMinute: number;
  readonly countCommands: CountCommands;
  readonly joinChallenges: JoinChallenges | undefined;
  readonly checkJoin: CheckJoin | undefined;
  readonly joinCheckFailure: JoinCheckFailure;
};

export function allGuards(parts: GuardParts): Guards {
  const { ports, queueTokens, rateLimitPerMinute, pollLimitPerMinute } = parts;
  const authenticate = authenticateBy(parts.accessTokens);
  const commandLimit = commandLimitGuard(rateLimitPerMinute, parts.countCommands);
  return {
    accessToken: accessTokenGuard(authenticate),
    self: selfGuard,
    adminKey: adminKeyGuard(parts.adminKeys),
    queueToken: queueTokenGuard(queueTokens, authenticate),
    queueTokenInQuery: queueTokenInQueryGuard(queueTokens, authenticate),
    idempotencyKey: idempotencyKeyGuard,
    session: sessionGuards(ports, commandLimit),
    commandLimit,
    joinLimit: localLimitGuard('joining', rateLimitPerMinute),
    joinChallenge: joinChallengeGuard(ports, parts.joinChallenges),
    joinCheck: joinCheckGuard(ports, parts.checkJoin, parts.joinCheckFailure),
    pollLimit: localLimitGuard('polling', pollLimitPerMinute),
    readLimit: localLimitGuard('reading', pollLimitPerMinute),
  };
}
