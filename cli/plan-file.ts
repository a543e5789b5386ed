/** Reads an operator's plan, in YAML or JSON: `{ tasks: [{ key, type, instruction, after, needs, backend }], reduce }`. */
import { type Document, parseDocument } from 'yaml';
import { PlanSpec } from '../bus/messages.ts';
import { describe } from '../bus/parse-message.ts';
import { check, explain } from '../machines/plan.ts';
import { CoxError, codeOf, messageOf } from '../platform/errors.ts';
import { readSmall, readSmallStdin } from '../platform/small-file.ts';
import { notUtf, utfYaml } from '../platform/utf-text.ts';
import { protoKey, withoutExtras } from '../platform/yaml-extras.ts';

const maxBytes = 8 * 2 ** 20;
const hint = 'A plan is { tasks: [{ key, type, instruction, after, needs, backend }], reduce }: see docs/cli.md.';

/** @param file `-` is stdin. @throws CoxError `bad-plan`. Its message names the file and the line or field. */
export async function readPlan(file: string): Promise<PlanSpec> {
  const name = file === '-' ? 'stdin' : file;
  const bad = (what: string, cause?: unknown) => new CoxError('bad-plan', `${name}: ${what}`, { hint, cause });
  let text: string;
  try {
    text = utfYaml(await (file === '-' ? readSmallStdin(maxBytes) : readSmall(file, maxBytes)));
  } catch (cause) {
    if (cause instanceof TypeError) throw bad(notUtf, cause);
    throw bad(codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause), cause);
  }
  const document = parseDocument(text, { merge: true });
  const [broken] = document.errors;
  if (broken) throw bad(broken.message, broken);
  const value = withoutExtras(plain(document, bad), isSchema);
  const withReduce =
    typeof value === 'object' && value !== null && !('reduce' in value) ? { ...value, reduce: { by: 'orchestrator' } } : value;
  const plan = PlanSpec.safeParse(withReduce);
  if (!plan.success) throw bad(describe(plan.error));
  if (plan.data.tasks.length === 0) throw bad('tasks: there are none');
  const blank = plan.data.tasks.findIndex(({ instruction }) => instruction.trim() === '');
  if (blank >= 0) throw bad(`tasks.${blank}.instruction: it is empty`);
  const fault = check(plan.data.tasks);
  if (fault) throw bad(explain(fault));
  return plan.data;
}

function plain(document: Document, bad: (what: string, cause?: unknown) => CoxError): unknown {
  let value: unknown;
  let proto: readonly string[] | null;
  try {
    value = document.toJS();
    proto = protoKey(value);
  } catch (cause) {
    // For example, aliases that expand without end.
    throw bad(messageOf(cause), cause);
  }
  if (proto) throw bad(`${proto.join('.')}: not a good name`);
  return value;
}

/** A JSON Schema, in which any key may mean something. */
const isSchema = (path: readonly string[]): boolean => path.includes('json');
