/** Why a reply ended. Backends have many words for it; a word that is not known does not count as a whole reply. */
import { beginningOf } from '../platform/cut.ts';
export interface Ending {
  /**
   * `whole`: the model was done. `length`: a limit of tokens cut the reply off. `filter`: the backend stopped it for its content.
   * `cut`: the backend ended it for another reason.
   */
  readonly kind: 'whole' | 'length' | 'filter' | 'cut';
  /** The word of the backend. */
  readonly reason: string;
}

const kinds: Readonly<Record<Exclude<Ending['kind'], 'cut'>, RegExp>> = {
  whole:
    /^(stop|stop_sequence|stop_token|end_turn|end|eos|eos_token|eos_found|tool_calls?|tool_use|function_calls?|complete|completed|done|finished|success|normal)$/,
  length:
    /^(length|max_tokens|max_output_tokens|max_completion_tokens|max_length|model_length|token_limit|.*context_(length|window).*)$/,
  filter:
    /^(content_?filter(ed)?|safety|recitation|prohibited_content|blocklist|spii|refusal|sensitive|image_safety|.*guardrail.*)$/,
};

/** @param reason the `finish_reason`, as it came. @returns null where it says nothing. */
export function endingOf(reason: unknown): Ending | null {
  if (typeof reason !== 'string' || /^(null|none|undefined|finish_reason_unspecified)?$/i.test(reason.trim())) return null;
  const word = beginningOf(reason.trim(), 100);
  const plain = word.toLowerCase().replaceAll(/[\s-]+/g, '_');
  for (const kind of ['whole', 'length', 'filter'] as const) if (kinds[kind].test(plain)) return { kind, reason: word };
  return { kind: 'cut', reason: word };
}
