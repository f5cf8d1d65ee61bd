import type { FastifyReply, FastifyRequest, FastifySchema, HookHandlerDoneFunction } from 'fastify';
import type { ZodObject } from 'zod';
import type { AnswerHeader } from '#adapters/http/openapi/answers.ts';
import type { SecurityScheme } from '#adapters/http/openapi/security-schemes.ts';
import type { Code } from '#domain/errors.ts';

/** Lets a request pass, or throws a refusal. Synchronous where it can be, so that the request waits for no promise. */
export type Check = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

/** What stands in front of a handler: its checks, and what the OpenAPI document says about them. */
export type Guard = {
  /** Runs before the body is read. */
  readonly onRequest?: Check;
  /** Runs once the body is parsed. */
  readonly preValidation?: Check;
  /** Runs once the request is validated. */
  readonly preHandler?: Check;
  /** The credentials that it accepts: any one of them. */
  readonly security?: readonly Partial<Record<SecurityScheme, readonly string[]>>[];
  /** The request headers that it reads, besides credentials. */
  readonly requestHeaders?: ZodObject;
  readonly headersOfAnyAnswer?: readonly AnswerHeader[];
  readonly headersOfSuccess?: readonly AnswerHeader[];
  /** The codes that it refuses with. */
  readonly refusals: readonly Code[];
};

declare module 'fastify' {
  interface FastifyContextConfig {
    guards?: readonly Guard[];
  }
  interface FastifySchema {
    /** The codes that the handler refuses with; those of the guards are added to the document. */
    readonly refusals?: readonly Code[];
  }
}

type RouteOptions = {
  readonly schema: FastifySchema;
  readonly config?: object;
  readonly bodyLimit?: number;
  readonly exposeHeadRoute?: boolean;
};

/**
 * The options of a route behind these guards. Their checks run in the order of the list, at each stage of the request:
 * `onRequest`, `preValidation`, `preHandler`. The OpenAPI document is built from the same list.
 */
export function guarded<const Options extends RouteOptions>(guards: readonly Guard[], options: Options) {
  const hooksOf = (stage: 'onRequest' | 'preValidation' | 'preHandler') =>
    guards.flatMap((guard) => (guard[stage] === undefined ? [] : [hookOf(guard[stage])]));
  return {
    ...options,
    onRequest: hooksOf('onRequest'),
    preValidation: hooksOf('preValidation'),
    preHandler: hooksOf('preHandler'),
    config: { ...options.config, guards },
  };
}

function hookOf(check: Check) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<void> => {
    const pending = check(request, reply);
    if (pending !== undefined) return pending;
    done();
  };
}
