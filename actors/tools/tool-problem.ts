/** Says what is wrong with a tool when it is defined, so that no task finds out. */
import { z } from 'zod';
import { messageOf } from '../../platform/errors.ts';

/** Every kind has this tool from Coxswain, and its calls are questions to the operator. */
export const askingTool = 'ask_operator';

/** The rule of OpenAI, and Google's that a name begins with a letter or `_`. */
const legalName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const effectWords = ['none', 'idempotent', 'writes'];

type Fields = Readonly<Record<string, unknown>>;

/** @returns null for a tool that can be used. It is named in the text. */
export function toolProblem(tool: unknown): string | null {
  if (typeof tool !== 'object' || tool === null) return 'a tool is not an object of defineTool';
  const { name, description, effects, args, asks, run, preview, target, look, decides, effectsOf } = tool as Fields;
  if (typeof name !== 'string' || !legalName.test(name))
    return `a tool has the name ${JSON.stringify(name)?.slice(0, 100)}: it takes at most 64 letters, digits, - and _, beginning with a letter or _`;
  if (name === askingTool || asks !== undefined) return `${name}: ${askingTool} is built in, and every kind has it`;
  if (typeof description !== 'string') return `${name} has no description`;
  if (typeof effects !== 'string' || !effectWords.includes(effects))
    return `${name} must say its effects: ${effectWords.join(', ')}`;
  if (typeof run !== 'function') return `${name} has no function run`;
  for (const [field, it] of Object.entries({ preview, target, look, effectsOf }))
    if (it !== undefined && typeof it !== 'function') return `${field} of ${name} is not a function`;
  if (decides !== undefined && decides !== true) return `decides of ${name} is not true: leave it out where the roster decides`;
  if (decides && preview === undefined) return `${name} decides about its calls, so it needs a function preview`;
  const problem = argsProblem(args);
  return problem && `the args of ${name} ${problem}`;
}

/**
 * Arguments cross JSON several times: the model reads their schema, and a call is stored, shown, perhaps edited, and checked again
 * before it runs. So each check must give what it was given.
 */
function argsProblem(args: unknown): string | null {
  if (!(args instanceof z.ZodType)) return 'are not a zod schema';
  const changing = new Set<string>();
  try {
    const { type } = z.toJSONSchema(args, {
      io: 'input',
      override: ({ zodSchema }) => {
        if (['pipe', 'transform', 'file'].includes(zodSchema._zod.def.type)) changing.add(zodSchema._zod.def.type);
      },
    });
    if (changing.size > 0) return `change what they are given (${[...changing].join(', ')}): change it in run`;
    return type === 'object' ? null : 'must be an object: z.object({ … })';
  } catch (cause) {
    return `have no JSON Schema: ${messageOf(cause)}`;
  }
}
