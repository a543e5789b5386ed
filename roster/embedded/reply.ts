/** The two forms of a chat reply: server-sent events while the model writes, or one JSON body at the end. */
import type { ServerResponse } from 'node:http';
import type { Completion, FinishReason, Reply } from './completion.ts';
import type { Usage } from './engine.ts';

const usageOf = ({ promptTokens, cachedTokens, completionTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

const newCallId = (): string => `call_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`;

export class StreamReply implements Reply {
  readonly #response: ServerResponse;
  readonly #head: object;
  readonly #withUsage: boolean;
  #begun = false;

  constructor(response: ServerResponse, { id, created, model }: Completion, withUsage: boolean) {
    this.#response = response;
    this.#head = { id, object: 'chat.completion.chunk', created, model };
    this.#withUsage = withUsage;
  }

  text(content: string): void {
    this.#delta({ content });
  }

  call(name: string): void {
    this.#delta({ tool_calls: [{ index: 0, id: newCallId(), type: 'function', function: { name, arguments: '' } }] });
  }

  args(text: string): void {
    this.#delta({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  }

  finish(reason: FinishReason, usage: Usage): void {
    this.#delta({}, reason);
    if (this.#withUsage) this.#send({ ...this.#head, choices: [], usage: usageOf(usage) });
    this.#response.end('data: [DONE]\n\n');
  }

  #delta(delta: object, reason: FinishReason | null = null): void {
    if (!this.#begun) {
      this.#begun = true;
      this.#response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      this.#delta({ role: 'assistant', content: '' });
    }
    this.#send({ ...this.#head, choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] });
  }

  #send(chunk: object): void {
    this.#response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
}

export class JsonReply implements Reply {
  readonly #response: ServerResponse;
  readonly #completion: Completion;
  #content = '';
  #call: { name: string; arguments: string } | null = null;

  constructor(response: ServerResponse, completion: Completion) {
    this.#response = response;
    this.#completion = completion;
  }

  text(text: string): void {
    this.#content += text;
  }

  call(name: string): void {
    this.#call = { name, arguments: '' };
  }

  args(text: string): void {
    if (this.#call) this.#call.arguments += text;
  }

  finish(reason: FinishReason, usage: Usage): void {
    const { id, created, model } = this.#completion;
    const message = this.#call
      ? { role: 'assistant', content: null, tool_calls: [{ id: newCallId(), type: 'function', function: this.#call }] }
      : { role: 'assistant', content: this.#content };
    const choice = { index: 0, message: { ...message, refusal: null }, logprobs: null, finish_reason: reason };
    const body = { id, object: 'chat.completion', created, model, choices: [choice], usage: usageOf(usage) };
    this.#response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}
