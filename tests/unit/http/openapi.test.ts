import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '#adapters/http/openapi/document.ts';
import { problems } from '#adapters/http/problems.ts';
import { contract, documentUrl, faultsOf, operations } from '#tests/support/contract.ts';

const calls = operations.map(({ template, method, operation }) => {
  return [`${method.toUpperCase()} ${template}`, { template, method, operation }] as const;
});

describe('docs/reference/openapi.json', () => {
  it('is generated from the code as it is now (npm run openapi writes it)', async () => {
    const written = await readFile(documentUrl, 'utf8');
    expect(written).toBe(`${JSON.stringify(await openApiDocument(), null, 2)}\n`);
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(contract))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('names every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('documents every refusal of a call', () => {
    const documented = operations.flatMap(({ operation }) =>
      Object.values(operation.responses).flatMap(({ content }) =>
        Object.keys(content?.['application/problem+json']?.examples ?? {}),
      ),
    );
    const { 'route-not-found': _, ...met } = problems;
    expect([...new Set(documented)].sort()).toEqual(Object.keys(met).sort());
  });

  it('has a valid example of every schema', () => {
    for (const [name, { examples = [] }] of Object.entries(contract.components.schemas)) {
      expect(examples.length, name).toBeGreaterThan(0);
      for (const example of examples) expect(faultsOf(example, 'components', 'schemas', name), name).toEqual([]);
    }
  });

  it.each(calls)('has of %s a description, the credentials and the outcomes', (_, { operation }) => {
    expect(operation.summary).toMatch(/\S/);
    expect(operation.tags).toHaveLength(1);
    expect(operation.security).toBeInstanceOf(Array);
    for (const { description, headers } of Object.values(operation.responses)) {
      expect(description).not.toBe('Default Response');
      expect(headers).toHaveProperty('X-Request-Id');
    }
  });

  it.each(calls)('has valid examples of requests and answers of %s', (_, { template, method, operation }) => {
    const root = ['paths', template, method];
    const messages = [
      ...Object.entries(operation.responses).map(([status, { content }]) => [['responses', status], content] as const),
      [['requestBody'], operation.requestBody?.content] as const,
    ];
    for (const [place, content] of messages) {
      for (const [type, media] of Object.entries(content ?? {})) {
        const examples = media.example === undefined ? Object.values(media.examples ?? {}) : [{ value: media.example }];
        expect(examples, place.join(' ')).not.toEqual([]);
        for (const example of examples) {
          expect(faultsOf(contentOf(example), ...root, ...place, 'content', type, 'schema'), place.join(' ')).toEqual(
            [],
          );
        }
      }
    }
  });
});

/** An example is written in its place, or refers to one that several places share. */
function contentOf(example: unknown): unknown {
  const { $ref, value } = example as { $ref?: string; value?: unknown };
  return $ref === undefined ? value : contract.components.examples[$ref.split('/').at(-1) ?? '']?.value;
}
