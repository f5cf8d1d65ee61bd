type Schema = { pattern?: string; format?: string; minimum?: number };

/** Leaves out what zod writes twice: the long patterns of named formats, and the bounds that no integer reaches. */
function shorten({ jsonSchema }: { readonly jsonSchema: Schema }): void {
  if (jsonSchema.format === 'date-time') jsonSchema.pattern = '\\.\\d{3}Z$';
  else if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

export const zodToJsonConfig = { override: shorten };
