import { z } from 'zod';

/** An object of the roster: an unknown key is an error that lists the known ones. */
export const section = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.map((key) => `\`${key}\``).join(', ')}; known here: ${Object.keys(shape).join(', ')}`
        : undefined,
  });
