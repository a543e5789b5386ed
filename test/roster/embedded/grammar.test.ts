import { expect, test } from 'vitest';
import { Grammar, SchemaUnsupported, spacedJson } from '../../../roster/embedded/grammar.ts';

const rules = (schema: unknown): string => {
  const grammar = new Grammar();
  return grammar.finish(grammar.add(schema));
};

test('required properties come in order, and optional ones may be left out', () => {
  const schema = { type: 'object', properties: { a: { type: 'boolean' }, b: { type: 'null' } }, required: ['a'] };
  expect(rules(schema)).toContain(String.raw`"{" "\"a\": " r0 (", " "\"b\": " r1)? "}"`);
});

test('strings and arrays have an upper bound', () => {
  expect(rules({ type: 'string', maxLength: 5 })).toContain('(ink char{0,4})?');
  expect(rules({ type: 'array', items: { type: 'null' } })).toMatch(/\{0,23\}/);
  expect(rules({ type: 'array', items: { type: 'null' }, minItems: 2, maxItems: 4 })).toMatch(/\{1,3\}/);
});

test('a recursive schema gives a finite grammar', () => {
  const node = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    required: ['next'],
  };
  const text = rules({ $defs: { node }, $ref: '#/$defs/node' });
  expect(text).toContain('ref0 ::=');
});

test('an error names the place of a schema without a grammar', () => {
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'date' } } }, required: ['a'] };
  expect(() => rules(schema)).toThrow(SchemaUnsupported);
  expect(() => rules(schema)).toThrow('/properties/a/items');
});

test('JSON is written in the spacing that the grammar allows', () => {
  expect(spacedJson({ a: [1, 'x"y'], b: undefined, c: null })).toBe('{"a": [1, "x\\"y"], "c": null}');
});
