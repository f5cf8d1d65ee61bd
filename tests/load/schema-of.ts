export type Json = string | number | readonly Json[] | { readonly [name: string]: Json };

/** What Fastify needs to know to write a value quickly. */
export function schemaOf(value: Json): object {
  if (typeof value !== 'object') return { type: typeof value };
  if (Array.isArray(value)) return { type: 'array', items: schemaOf(value[0]) };
  const properties = Object.entries(value).map(([name, part]) => [name, schemaOf(part)]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}
