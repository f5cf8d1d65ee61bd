import type { FastifyBaseLogger } from 'fastify';
import { guarded } from '#adapters/http/guards/guard.ts';
import type { Api, Kit } from '#adapters/http/kit.ts';
import { answer } from '#adapters/http/openapi/answers.ts';
import type { PolicyChange } from '#domain/catalog/policy.ts';
import { Refusal } from '#domain/errors.ts';
import { concertId } from '#domain/ids.ts';
import { changePolicy } from '#use-cases/catalog/change-policy.ts';
import { concertParams } from './concert-schemas.ts';
import { viewPolicy } from './concert-views.ts';
import { changeOf, policy, policyChange } from './policy-schemas.ts';

const tags = ['admin'];

/** How operators control the admission to a concert. */
export function policyRoutes(api: Api, kit: Kit): void {
  getPolicyRoute(api, kit);
  changePolicyRoute(api, kit);
  pauseQueueRoute(api, kit);
  resumeQueueRoute(api, kit);
}

function getPolicyRoute(api: Api, { guards, ports }: Kit): void {
  api.get(
    '/admin/concerts/:concertId/policy',
    guarded([guards.adminKey], {
      schema: {
        operationId: 'getPolicy',
        tags,
        summary: 'The admission policy',
        params: concertParams,
        response: {
          200: answer(policy, 'The policy: what was decided for the concert, and the defaults of the settings'),
        },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => {
      const found = await ports.concerts.find(concertId(request.params.concertId));
      if (found === undefined) throw new Refusal('concert-not-found');
      return viewPolicy(found.policy);
    },
  );
}

function changePolicyRoute(api: Api, { guards, ports }: Kit): void {
  api.patch(
    '/admin/concerts/:concertId/policy',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'changePolicy',
        tags,
        summary: 'Change the admission policy',
        description:
          'Omitted fields stay; null restores the default of the settings. Takes effect on all instances within a second. ' +
          'New session and claim times apply to entries admitted from then on.',
        params: concertParams,
        body: policyChange,
        response: { 200: answer(policy, 'The policy after the change') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => change({ ports }, request, changeOf(request.body)),
  );
}

function pauseQueueRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/concerts/:concertId/pause',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'pauseQueue',
        tags,
        summary: 'Pause admission',
        description: 'Active sessions go on until they end, and joining stays open. No entry is passed over.',
        params: concertParams,
        response: { 200: answer(policy, 'The policy after the change') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => change({ ports }, request, { paused: true }),
  );
}

function resumeQueueRoute(api: Api, { guards, ports }: Kit): void {
  api.post(
    '/admin/concerts/:concertId/resume',
    guarded([guards.adminKey, guards.commandLimit], {
      schema: {
        operationId: 'resumeQueue',
        tags,
        summary: 'Resume admission',
        params: concertParams,
        response: { 200: answer(policy, 'The policy after the change') },
        refusals: ['concert-not-found'],
      },
    }),
    async (request) => change({ ports }, request, { paused: false }),
  );
}

type Asked = {
  readonly log: FastifyBaseLogger;
  readonly adminKeyId: string | undefined;
  readonly params: { readonly concertId: string };
};

/** Every change is in the log, with the key that made it. */
async function change({ ports }: Pick<Kit, 'ports'>, { log, adminKeyId, params }: Asked, change: PolicyChange) {
  const changed = await changePolicy(ports, { concertId: concertId(params.concertId), change });
  log.info({ adminKeyId, concertId: params.concertId, change }, 'changed a policy');
  return viewPolicy(changed.policy);
}
