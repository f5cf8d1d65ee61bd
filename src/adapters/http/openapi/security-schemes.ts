/** The credentials that guards accept. */
export const securitySchemes = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The accessToken of POST /v1/users. It identifies the user',
  },
  adminKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key that an operator holds, one of ADMIN_KEYS',
  },
  queueTokenInQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'The queue token, for an EventSource, which cannot send headers. It is never logged',
  },
  queueToken: {
    type: 'apiKey',
    in: 'header',
    name: 'Queue-Token',
    description: 'The token of joining the queue. It identifies user and queue entry, and needs no other credential',
  },
} as const;

export type SecurityScheme = keyof typeof securitySchemes;
