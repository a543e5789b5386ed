/**
 * Gets a value of a given shape from a model: requested by schema, validated, and requested again with the faults, at most twice.
 */
import { z } from 'zod';
import {
  addUsage,
  type ChatMessage,
  type ModelEvent,
  type ModelReply,
  type ModelRequest,
  type ModelUsage,
} from './conversation.ts';
import { ModelError } from './errors.ts';
import { jsonIn } from './json-in-text.ts';

export type AskRequest<T> = Omit<ModelRequest, 'schema' | 'tools' | 'toolChoice'> & {
  readonly shape: z.ZodType<T>;
  /** Names the shape to the model: letters, digits, _ and -. */
  readonly shapeName: string;
};
export interface Answer<T> {
  readonly value: T;
  /** The sum over all tries. */
  readonly usage: ModelUsage;
}

const mostRepairs = 2;
const mostIssues = 8;

/** @throws ModelError `bad-reply` when no reply fits after two repairs; otherwise the errors of `call`. */
export async function ask<T>(
  backend: string,
  { shape, shapeName, ...request }: AskRequest<T>,
  call: (request: ModelRequest) => AsyncIterable<ModelEvent>,
): Promise<Answer<T>> {
  const schema = { name: shapeName, json: jsonSchemaOf(shape) };
  let usage: ModelUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
  let messages: readonly ChatMessage[] = request.messages;
  for (let repairs = 0; ; repairs++) {
    const reply = await lastOf(call({ ...request, messages, schema }));
    usage = addUsage(usage, reply.usage);
    const found = check(reply, shape);
    if ('value' in found) return { value: found.value, usage };
    if (repairs === mostRepairs)
      throw new ModelError(
        'bad-reply',
        backend,
        `after ${repairs + 1} tries its reply is not a good ${shapeName}: ${found.wrong}`,
      );
    messages = [
      ...request.messages,
      { role: 'assistant', text: reply.text },
      { role: 'user', text: `That is not right: ${found.wrong}\nReply again with the whole JSON object, and nothing else.` },
    ];
  }
}

/** Backends that enforce a schema require closed objects. `$schema` is removed because some of them do not accept it. */
export function jsonSchemaOf(shape: z.ZodType): object {
  const { $schema: _, ...json } = z.toJSONSchema(shape, {
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === 'object' && jsonSchema.properties) jsonSchema.additionalProperties ??= false;
    },
  });
  return json;
}

function check<T>({ text, finish }: ModelReply, shape: z.ZodType<T>): { value: T } | { wrong: string } {
  const json = jsonIn(text);
  if (json === undefined)
    return { wrong: finish === 'length' ? 'it was cut off because it is too long; be much shorter' : 'it is not a JSON object' };
  const checked = shape.safeParse(json);
  if (checked.success) return { value: checked.data };
  const issues = checked.error.issues
    .slice(0, mostIssues)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the whole'}: ${message}`);
  return { wrong: issues.join('; ') };
}

/** The whole reply of a call whose text nobody watches. */
export async function lastOf(events: AsyncIterable<ModelEvent>): Promise<ModelReply> {
  let reply: ModelReply | null = null;
  for await (const event of events) if (event.type === 'replied') reply = event;
  if (!reply) throw new Error('a model call ended without a reply');
  return reply;
}
