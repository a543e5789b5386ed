/**
 * The loaded model. It takes a prompt and writes a reply, one call at a time, and runs only in the child process.
 * - An abort ends a call within one small batch, while it reads the prompt as well as while it writes the reply.
 * - A sequence keeps the tokens that it has read and does not read them again: a prompt is compared with them token by token.
 */
import type { ChatHistoryItem, ChatWrapper, Llama, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { getLlama, LlamaGrammarEvaluationState, LlamaLogLevel, resolveChatWrapper, TokenBias } from 'node-llama-cpp';
import { LoopGuard } from './loop-guard.ts';

export interface EngineOptions {
  readonly modelPath: string;
  readonly threads: number;
  readonly contextTokens: number;
  readonly gpu: boolean;
}

export interface Sampling {
  readonly maxTokens?: number | undefined;
  readonly temperature: number;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  /** Called before each token: true for prose, where a repeated word is penalised. JSON and code need repetition. */
  readonly isProse: () => boolean;
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export type Ending = 'stop' | 'length';

/** The prompt leaves too few tokens of the context for a reply. */
export class PromptTooLong extends Error {
  constructor(promptTokens: number, contextTokens: number) {
    super(`the prompt has ${promptTokens} tokens, the model's context has ${contextTokens}`);
    this.name = 'PromptTooLong';
  }
}

/** Tokens of a prompt per batch: few enough that an abort works at once, and enough not to slow the reading of the prompt. */
const prefillTokens = 64;
/** Tokens of the context that a prompt must leave for its reply. */
const minReplyTokens = 16;
/** Prose is compared with this many of the latest tokens. Only tokens of the reply count, because it may quote the prompt. */
const recentTokens = 64;
/** Conversations kept in memory, so that the prompts of sub-agents that alternate need not be read again each time. */
const sequences = 2;

export class Engine {
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #sequences: readonly LlamaContextSequence[];
  readonly #chat: ChatWrapper;
  readonly contextTokens: number;
  /** Tokens evaluated since the start: of prompts (without those that a sequence had kept) and of replies. */
  readonly tokens = { read: 0, written: 0 };

  private constructor(llama: Llama, model: LlamaModel, context: LlamaContext, contextTokens: number) {
    this.#llama = llama;
    this.#model = model;
    this.#context = context;
    this.#sequences = Array.from({ length: sequences }, () => context.getSequence());
    // The model file contains its chat template: Qwen's ChatML for the named models.
    this.#chat = resolveChatWrapper(model);
    this.contextTokens = contextTokens;
  }

  static async load({ modelPath, threads, contextTokens, gpu }: EngineOptions): Promise<Engine> {
    const llama = await getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    const model = await llama.loadModel({ modelPath });
    const size = Math.min(contextTokens, model.trainContextSize ?? contextTokens);
    const context = await model.createContext({ contextSize: size, sequences, threads });
    return new Engine(llama, model, context, Math.min(size, context.contextSize));
  }

  /** The tokens of a conversation that the model has to continue. Text in it cannot forge the template's markers. */
  prompt(history: readonly ChatHistoryItem[]): Token[] {
    const chatHistory = [...history, { type: 'model' as const, response: [] }];
    return this.#chat.generateContextState({ chatHistory }).contextText.tokenize(this.#model.tokenizer);
  }

  /**
   * Writes the reply. `onText` receives each piece of text and ends the reply by returning false.
   * @throws the signal's reason when aborted; PromptTooLong.
   */
  async complete(
    prompt: readonly Token[],
    grammar: string | null,
    sampling: Sampling,
    signal: AbortSignal,
    onText: (text: string) => boolean,
  ): Promise<{ ending: Ending; usage: Usage }> {
    const leftTokens = this.contextTokens - prompt.length;
    if (leftTokens < minReplyTokens) throw new PromptTooLong(prompt.length, this.contextTokens);
    const maxTokens = Math.min(sampling.maxTokens ?? leftTokens, leftTokens);
    const compiled = grammar === null ? null : await this.#llama.createGrammar({ grammar });
    const sequence = this.#nearest(prompt);
    const cachedTokens = await this.#read(sequence, prompt, signal);

    const guard = new LoopGuard<Token>();
    const recent: Token[] = [];
    // The bias is strong but no ban: where the grammar leaves no choice, the token must remain possible.
    const againstLoop = () => {
      const bias = new TokenBias(this.#model.tokenizer);
      return guard.forbidden === null ? bias : bias.set(guard.forbidden, { logit: -50 });
    };
    const tokens = sequence.evaluate(prompt.slice(-1), {
      temperature: sampling.temperature,
      tokenBias: againstLoop,
      repeatPenalty: { punishTokens: () => (sampling.isProse() ? recent : []), maxPunishTokens: recentTokens, penalty: 1.1 },
      ...(sampling.topP === undefined ? {} : { topP: sampling.topP }),
      ...(sampling.seed === undefined ? {} : { seed: sampling.seed }),
      ...(compiled ? { grammarEvaluationState: new LlamaGrammarEvaluationState({ model: this.#model, grammar: compiled }) } : {}),
    });
    let ending: Ending = 'stop';
    let completionTokens = 0;
    let before: Token[] = prompt.slice(-4);
    let pending: Token[] = [];
    for await (const token of tokens) {
      signal.throwIfAborted();
      completionTokens++;
      this.tokens.written++;
      pending.push(token);
      const text = this.#model.detokenize(pending, false, before);
      // A character may take several tokens: an incomplete one waits for the rest.
      if (!text.endsWith('\ufffd')) {
        before = pending.slice(-4);
        pending = [];
        if (text !== '' && !onText(text)) break;
      }
      guard.push(token);
      recent.push(token);
      if (recent.length > recentTokens) recent.shift();
      if (completionTokens >= maxTokens || guard.isLost) {
        ending = 'length';
        break;
      }
    }
    signal.throwIfAborted();
    return { ending, usage: { promptTokens: prompt.length, cachedTokens, completionTokens } };
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
    await this.#model.dispose();
    await this.#llama.dispose();
  }

  /** Reads the prompt except its last token, in small batches. @returns the number of tokens that the sequence had kept. */
  async #read(sequence: LlamaContextSequence, prompt: readonly Token[], signal: AbortSignal): Promise<number> {
    const last = prompt.length - 1;
    const known = Math.min(sequence.compareContextTokens([...prompt]).firstDifferentIndex, last);
    await sequence.eraseContextTokenRanges([{ start: known, end: sequence.nextTokenIndex }]);
    for (let at = sequence.nextTokenIndex; at < last; at += prefillTokens) {
      signal.throwIfAborted();
      const batch = prompt.slice(at, Math.min(at + prefillTokens, last));
      await sequence.evaluateWithoutGeneratingNewTokens(batch);
      this.tokens.read += batch.length;
    }
    signal.throwIfAborted();
    return known;
  }

  /** The sequence of least cost: the tokens to read now, plus half of the tokens to forget, because they may be needed again. */
  #nearest(prompt: readonly Token[]): LlamaContextSequence {
    const cost = (sequence: LlamaContextSequence): number => {
      const known = sequence.compareContextTokens([...prompt]).firstDifferentIndex;
      return prompt.length - known + (sequence.nextTokenIndex - known) / 2;
    };
    return this.#sequences.reduce((best, one) => (cost(one) < cost(best) ? one : best));
  }
}
