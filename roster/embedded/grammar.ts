/**
 * Converts a JSON schema to a GBNF grammar, so that the model can only write JSON of that shape.
 *
 * llama.cpp's own converter is not used, because small models need three things: one fixed spacing (`{"a": 1, "b": 2}`, as in
 * their training; with free white space they go astray), an upper bound on every array and string (otherwise they never stop),
 * and optional properties. The caller validates the rules that a grammar cannot express (pattern, format, minimum).
 */

/** Thrown for a schema that has no grammar. `path` is the place of the unsupported part in the schema. */
export class SchemaUnsupported extends Error {
  readonly path: string;
  constructor(path: string, what: string) {
    super(`${what} at ${path || 'the top level'} of the schema`);
    this.name = 'SchemaUnsupported';
    this.path = path;
  }
}

/** llama.cpp refuses a repetition above 2,000. Only `max_tokens` limits longer strings. */
const maxRepetition = 2000;
const defaultMaxItems = 24;

type Schema = Readonly<Record<string, unknown>>;

const shared = {
  ink: String.raw`[^"\\\x00-\x20\x7F] | "\\" ["\\]`,
  char: String.raw`[^"\\\x00-\x1F\x7F] | "\\" ["\\nt]`,
  integer: '"-"? ([0-9] | [1-9] [0-9]{0,15})',
  number: 'integer ("." [0-9]{1,12})?',
  boolean: '"true" | "false"',
  null: '"null"',
  value: 'object | array | string | number | boolean | null',
  string: '"\\"" char* "\\""',
  object: `"{" (string ": " value (", " string ": " value){0,${defaultMaxItems}})? "}"`,
  array: `"[" (value (", " value){0,${defaultMaxItems}})? "]"`,
} as const;

/** Collects rules; `finish` writes them out, together with the shared rules. */
export class Grammar {
  readonly #rules = new Map<string, string>();
  readonly #refs = new Map<string, string>();

  /** Adds a schema. @returns the name of a rule that matches a JSON value of it. @throws SchemaUnsupported. */
  add(schema: unknown): string {
    return this.#rule(this.#value(schema, schema, ''));
  }

  /** @param root a GBNF expression over names that `add` returned and literals that `literal` made. */
  finish(root: string): string {
    const lines = [`root ::= ${root}`];
    for (const [name, body] of this.#rules) lines.push(`${name} ::= ${body}`);
    for (const [name, body] of Object.entries(shared)) lines.push(`${name} ::= ${body}`);
    return `${lines.join('\n')}\n`;
  }

  #rule(body: string): string {
    for (const [name, known] of this.#rules) if (known === body) return name;
    const name = `r${this.#rules.size}`;
    this.#rules.set(name, body);
    return name;
  }

  #value(schema: unknown, root: unknown, path: string): string {
    if (schema === true || schema === undefined) return 'value';
    if (typeof schema !== 'object' || schema === null) throw new SchemaUnsupported(path, `${JSON.stringify(schema)}`);
    const s = schema as Schema;
    if ('const' in s) return literal(spacedJson(s.const));
    if (Array.isArray(s.enum)) return s.enum.map((one) => literal(spacedJson(one))).join(' | ');
    if (typeof s.$ref === 'string') return this.#ref(s.$ref, root, path);
    const choices = s.anyOf ?? s.oneOf;
    if (Array.isArray(choices)) {
      return choices.map((one, i) => this.#rule(this.#value(one, root, `${path}/anyOf/${i}`))).join(' | ');
    }
    if (Array.isArray(s.allOf)) return this.#value(merged(s, path), root, path);
    if (Array.isArray(s.type)) {
      return s.type.map((type) => this.#rule(this.#value({ ...s, type }, root, path))).join(' | ');
    }
    switch (s.type ?? (s.properties ? 'object' : s.items ? 'array' : undefined)) {
      case 'object':
        return this.#object(s, root, path);
      case 'array':
        return this.#array(s, root, path);
      case 'string':
        return this.#string(s);
      case 'integer':
        return 'integer';
      case 'number':
        return 'number';
      case 'boolean':
        return 'boolean';
      case 'null':
        return 'null';
      case undefined:
        return 'value';
      default:
        throw new SchemaUnsupported(path, `type ${JSON.stringify(s.type)}`);
    }
  }

  #ref(ref: string, root: unknown, path: string): string {
    const known = this.#refs.get(ref);
    if (known) return known;
    if (!ref.startsWith('#')) throw new SchemaUnsupported(path, `$ref ${ref} (only references within the schema)`);
    let target: unknown = root;
    for (const step of ref.split('/').slice(1))
      target = (target as Schema | undefined)?.[step.replace(/~1/g, '/').replace(/~0/g, '~')];
    if (target === undefined) throw new SchemaUnsupported(path, `$ref ${ref} (not found)`);
    // The name is registered before the body is built, so that a recursive schema ends.
    const name = `ref${this.#refs.size}`;
    this.#refs.set(ref, name);
    this.#rules.set(name, this.#value(target, root, ref));
    return name;
  }

  #object(s: Schema, root: unknown, path: string): string {
    const required = new Set(Array.isArray(s.required) ? (s.required as string[]) : []);
    const fields = Object.entries((s.properties ?? {}) as Schema).map(([key, value]) => ({
      required: required.has(key),
      rule: `${literal(`${JSON.stringify(key)}: `)} ${this.#rule(this.#value(value, root, `${path}/properties/${key}`))}`,
    }));
    if (fields.length === 0) {
      if (s.additionalProperties === false) return '"{}"';
      const value = this.#rule(this.#value(s.additionalProperties ?? true, root, `${path}/additionalProperties`));
      return `"{" (string ": " ${value} (", " string ": " ${value}){0,${defaultMaxItems}})? "}"`;
    }
    const must = fields.filter((field) => field.required).map((field) => field.rule);
    const may = fields.filter((field) => !field.required).map((field) => field.rule);
    if (must.length > 0) return `"{" ${must.join(' ", " ')}${may.map((rule) => ` (", " ${rule})?`).join('')} "}"`;
    // No property is required: each of them may be the first, and the later ones may follow it.
    const starts = may.map((rule, i) => [rule, ...may.slice(i + 1).map((later) => `(", " ${later})?`)].join(' '));
    return `"{" (${starts.join(' | ')})? "}"`;
  }

  #array(s: Schema, root: unknown, path: string): string {
    const min = Math.max(0, Number(s.minItems ?? 0));
    const max = Math.min(maxRepetition, Math.max(min, Number(s.maxItems ?? Math.max(min, defaultMaxItems))));
    if (Array.isArray(s.prefixItems)) {
      const items = s.prefixItems.map((one, i) => this.#rule(this.#value(one, root, `${path}/prefixItems/${i}`)));
      return `"[" ${items.join(' ", " ')} "]"`;
    }
    if (max === 0) return '"[]"';
    const item = this.#rule(this.#value(s.items, root, `${path}/items`));
    const list = `${item} (", " ${item}){${Math.max(0, min - 1)},${max - 1}}`;
    return min > 0 ? `"[" ${list} "]"` : `"[" (${list})? "]"`;
  }

  #string(s: Schema): string {
    const min = Math.max(0, Number(s.minLength ?? 0));
    const max = s.maxLength === undefined ? Number.POSITIVE_INFINITY : Math.max(min, Number(s.maxLength));
    if (max > maxRepetition) return min === 0 ? 'string' : `"\\"" char{${Math.min(min, maxRepetition)},} "\\""`;
    if (max === 0) return '"\\"\\""';
    // A short string is a name, a path or a query. If a space may come first, a small model writes " README.md".
    const rest = `ink char{${Math.max(0, min - 1)},${max - 1}}`;
    return min === 0 ? `"\\"" (${rest})? "\\""` : `"\\"" ${rest} "\\""`;
  }
}

/** A GBNF literal that matches exactly this text. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** JSON in the only spacing that the grammar allows, because the history must look like the text that the model has to write. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, one]) => one !== undefined);
    return `{${fields.map(([key, one]) => `${JSON.stringify(key)}: ${spacedJson(one)}`).join(', ')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The schema with its `allOf` parts folded in. */
function merged(s: Schema, path: string): Schema {
  const { allOf, ...sum } = s as Record<string, unknown>;
  for (const part of allOf as unknown[]) {
    if (typeof part !== 'object' || part === null || '$ref' in part) throw new SchemaUnsupported(path, 'allOf with a $ref');
    const { properties, required, ...rest } = part as Schema;
    Object.assign(sum, rest);
    sum.properties = { ...(sum.properties as object), ...(properties as object) };
    sum.required = [...((sum.required as string[]) ?? []), ...((required as string[]) ?? [])];
  }
  return sum;
}
