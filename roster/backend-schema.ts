/** The backends of a roster. YAML keys are snake_case, the types camelCase. Every key is described in docs/roster.md. */
import { z } from 'zod';
import { defaultMaxOutput, hasPrice } from './price.ts';
import { Size } from './quantity.ts';
import { section } from './strict-section.ts';

export const Tier = z.enum(['local', 'subscription', 'api']);
export type Tier = z.infer<typeof Tier>;

/** The place where a key is stored. It never contains the key itself. */
export type KeyReference =
  | { readonly from: 'none' }
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string };

const keyForm = /^(?:none|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;
// The message does not repeat the value, which may be a key.
const Key = z
  .string('a key is only ever a reference: env:NAME, file:PATH or none')
  .regex(keyForm, 'a key is only ever a reference: env:NAME, file:PATH or none')
  .transform((text): KeyReference => {
    if (text === 'none') return { from: 'none' };
    const [from, rest] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
    return from === 'env' ? { from: 'env', name: rest } : { from: 'file', path: rest };
  });

const Capability = z.string().min(1).max(64);
const Cost = section({
  input: z.number().nonnegative().describe('US dollars per million input tokens.'),
  output: z.number().nonnegative().describe('US dollars per million output tokens.'),
});
const Structured = z.enum(['auto', 'json_schema', 'tools', 'prompt']);
const Tools = z.union([z.boolean(), z.literal('auto')], 'expected true, false or auto');
const count = (most: number) => z.int().min(1).max(most);

const Pictures = section({
  most: count(64).default(3).describe('Number of pictures in one request, the latest ones; older ones are described in words.'),
  side: z
    .int()
    .min(64)
    .max(16_384)
    .default(1568)
    .describe('Longest side of a picture in pixels. A larger one is scaled down before it is sent.'),
  pixels: z
    .int()
    .min(4_096)
    .max(50_000_000)
    .default(1_150_000)
    .describe('Maximum number of pixels of a picture. A larger one is scaled down before it is sent.'),
  bytes: Size.prefault('3.5MB').describe('Maximum size of a picture. A larger one is sent as JPEG.'),
  tokens: count(1_000_000)
    .default(50_000)
    .describe(
      'The most tokens that the backend counts for one picture: the worst case, which is set aside where there is a price.',
    ),
});
export type PictureLimits = Readonly<z.infer<typeof Pictures>>;

const common = {
  tier: Tier.optional().describe('Cost class. Default: local for embedded, subscription for command, api for openai.'),
  opt_in: z.boolean().default(false).describe('A backend of any tier but local is off until this is true.'),
  good_at: z.array(Capability).max(64).default([]).describe('Capabilities, matched against the needs of a task.'),
  can_orchestrate: z.boolean().default(false).describe('The backend may split a goal and reduce the results.'),
  can_delegate: z.boolean().default(true).describe('The backend may get sub-tasks. false: it plans and reduces alone.'),
  vision: z.boolean().default(false).describe('The model understands images.'),
  pictures: Pictures.prefault({}).describe('What of pictures is sent to a backend with `vision`.'),
  cost: Cost.optional().describe('Price of tokens. Default: 0 for local and subscription; unknown for api.'),
  concurrency: count(1024)
    .optional()
    .describe('Maximum number of calls at once; further calls wait in line. Default: 1 for embedded and command, 4 for openai.'),
};
const context = z
  .int()
  .min(256)
  .max(100_000_000)
  .describe('Maximum number of tokens of prompt and reply together. Default: 8192 for embedded, else unknown.');
const maxOutput = count(10_000_000).describe(
  'Maximum number of tokens of one reply. Default: 1024 for embedded, 8192 where there is a price, else the backend’s own limit.',
);

const OpenAi = section({
  kind: z.literal('openai').optional().describe('The protocol of the backend. Default: openai.'),
  base_url: z
    .url({
      protocol: /^https?$/,
      error: ({ input }) =>
        input === undefined ? undefined : 'expected an http or https URL, such as http://127.0.0.1:11434/v1',
    })
    .refine(
      (url) => !URL.canParse(url) || new URL(url).username + new URL(url).password === '',
      'no user or password in the URL: use `key`',
    )
    // The path of a request is put behind it, and what stands there is told in messages and logs.
    .refine((url) => !/[?#]/.test(url), 'no query and no fragment in the URL; a key belongs into `key`')
    .describe('URL of the OpenAI-compatible API, including /v1.'),
  model: z.string().min(1).max(256).describe('The model’s name at that endpoint.'),
  key: Key.default({ from: 'none' }).describe('env:NAME, file:PATH or none.'),
  tools: Tools.default('auto').describe('Native function calling. auto: native until the backend refuses it, then in text.'),
  structured: Structured.default('auto').describe(
    'How JSON of a given schema is requested. auto: json_schema until the backend refuses it, then prompt.',
  ),
  context: context.optional(),
  max_output: maxOutput.optional(),
  ...common,
});
const Embedded = section({
  kind: z.literal('embedded'),
  model: z.string().min(1).max(4096).default('standard').describe('small, standard, or the path of a GGUF file.'),
  threads: count(1024).optional().describe('Processor threads. Default: the number of cores minus one.'),
  context: context.default(8192),
  max_output: maxOutput.default(1024),
  ...common,
});
const Command = section({
  kind: z.literal('command'),
  command: z.array(z.string().min(1)).min(1).max(64).describe('The program and its arguments.'),
  context: context.optional(),
  max_output: maxOutput.optional(),
  ...common,
});

interface BackendCommon {
  readonly tier: Tier;
  readonly optIn: boolean;
  readonly goodAt: readonly string[];
  readonly canOrchestrate: boolean;
  /** Whether it may get sub-tasks. */
  readonly canDelegate: boolean;
  readonly vision: boolean;
  readonly pictures: PictureLimits;
  /** US dollars per million tokens; null: unknown. */
  readonly cost: { readonly input: number; readonly output: number } | null;
  readonly concurrency: number;
  /** Tokens; null: unknown. */
  readonly context: number | null;
  /** Tokens; null: the backend's own limit. */
  readonly maxOutput: number | null;
}
export interface OpenAiBackend extends BackendCommon {
  readonly kind: 'openai';
  readonly baseUrl: string;
  readonly model: string;
  readonly key: KeyReference;
  readonly tools: boolean | 'auto';
  readonly structured: z.infer<typeof Structured>;
}
export interface EmbeddedBackend extends BackendCommon {
  readonly kind: 'embedded';
  readonly model: string;
  /** null: the default, which is the number of cores minus one. */
  readonly threads: number | null;
  readonly context: number;
  readonly maxOutput: number;
}
export interface CommandBackend extends BackendCommon {
  readonly kind: 'command';
  readonly command: readonly string[];
}
export type Backend = OpenAiBackend | EmbeddedBackend | CommandBackend;

const free = { input: 0, output: 0 };

export const BackendEntry = z
  .discriminatedUnion('kind', [OpenAi, Embedded, Command], {
    error: (issue) => (issue.code === 'invalid_union' ? 'expected one of openai, embedded, command' : undefined),
  })
  .transform((entry): Backend => {
    const tier = entry.tier ?? ({ embedded: 'local', command: 'subscription', openai: 'api' } as const)[entry.kind ?? 'openai'];
    const cost = entry.cost ?? (tier === 'api' ? null : free);
    const shared = {
      tier,
      optIn: entry.opt_in,
      goodAt: entry.good_at,
      canOrchestrate: entry.can_orchestrate,
      canDelegate: entry.can_delegate,
      vision: entry.vision,
      pictures: entry.pictures,
      cost,
      context: entry.context ?? null,
      // Without a limit on its output, a call with a price has no worst case.
      maxOutput: entry.max_output ?? (hasPrice({ cost }) ? defaultMaxOutput : null),
    };
    switch (entry.kind) {
      case 'embedded': {
        const { kind, model, context, threads = null, max_output: maxOutput, concurrency = 1 } = entry;
        return { ...shared, kind, model, threads, context, maxOutput, concurrency };
      }
      case 'command':
        return { ...shared, kind: entry.kind, command: entry.command, concurrency: entry.concurrency ?? 1 };
      default: {
        const { base_url: baseUrl, model, key, tools, structured, concurrency = 4 } = entry;
        return { ...shared, kind: 'openai', baseUrl, model, key, tools, structured, concurrency };
      }
    }
  });
