/**
 * The loaded model: text in, text out, one call at a time. Runs in the child process only.
 * A. An abort ends a call within one small batch, in the prompt as well as in the reply.
 * B. What a sequence has already read is kept and not read again: the prompt is matched against it token by token.
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
  /** Asked before each token: whether it is prose, where words are not to be said again too soon. In JSON and code they must be. */
  readonly isProse: () => boolean;
}

export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export type Ending = 'stop' | 'length';

/** The prompt alone leaves no room for a reply. */
export class PromptTooLong extends Error {
  constructor(promptTokens: number, contextTokens: number) {
    super(`the prompt has ${promptTokens} tokens, the model's context holds ${contextTokens}`);
    this.name = 'PromptTooLong';
  }
}

/** Small enough that an abort is felt at once, large enough not to slow the reading of a prompt. */
const prefillTokens = 64;
/** Room that a prompt must leave for its reply. */
const minReplyTokens = 16;
/** How far back prose is held against repetition. Only in the reply itself: what the prompt says may be quoted. */
const recentTokens = 64;
/** Conversations kept in memory, so that sub-agents that take turns do not make each other's prompt be read again. */
const sequences = 2;

export class Engine {
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #sequences: readonly LlamaContextSequence[];
  readonly #chat: ChatWrapper;
  readonly contextTokens: number;
  /** Tokens evaluated since the start, of prompts (without what was known already) and of replies. */
  readonly tokens = { read: 0, written: 0 };

  private constructor(llama: Llama, model: LlamaModel, context: LlamaContext, contextTokens: number) {
    this.#llama = llama;
    this.#model = model;
    this.#context = context;
    this.#sequences = Array.from({ length: sequences }, () => context.getSequence());
    // The template is the model file's own: Qwen's ChatML for the named models.
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

  /** The tokens of a conversation that the model is to go on with. Text can't forge the template's own markers. */
  prompt(history: readonly ChatHistoryItem[]): Token[] {
    const chatHistory = [...history, { type: 'model' as const, response: [] }];
    return this.#chat.generateContextState({ chatHistory }).contextText.tokenize(this.#model.tokenizer);
  }

  /**
   * Writes the reply, `onText` hears it as it comes and ends it by returning false.
   * @throws the signal's reason when aborted; PromptTooLong.
   */
  async complete(
    prompt: readonly Token[],
    grammar: string | null,
    sampling: Sampling,
    signal: AbortSignal,
    onText: (text: string) => boolean,
  ): Promise<{ ending: Ending; usage: Usage }> {
    const room = this.contextTokens - prompt.length;
    if (room < minReplyTokens) throw new PromptTooLong(prompt.length, this.contextTokens);
    const maxTokens = Math.min(sampling.maxTokens ?? room, room);
    const compiled = grammar === null ? null : await this.#llama.createGrammar({ grammar });
    const sequence = this.#nearest(prompt);
    const cachedTokens = await this.#read(sequence, prompt, signal);

    const guard = new LoopGuard<Token>();
    const recent: Token[] = [];
    // Strong, but not "never": where the grammar leaves no choice the token must come.
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
      // A character may take several tokens: half of one waits for the rest.
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

  /** Reads the prompt but for its last token, in small batches. Returns how much of it was known already. */
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

  /** The sequence that costs least: tokens to read now, and half of what is forgotten, as it may be wanted again. */
  #nearest(prompt: readonly Token[]): LlamaContextSequence {
    const cost = (sequence: LlamaContextSequence): number => {
      const known = sequence.compareContextTokens([...prompt]).firstDifferentIndex;
      return prompt.length - known + (sequence.nextTokenIndex - known) / 2;
    };
    return this.#sequences.reduce((best, one) => (cost(one) < cost(best) ? one : best));
  }
}
