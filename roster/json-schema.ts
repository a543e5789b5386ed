import { z } from 'zod';
import { RosterFile } from './schema.ts';

/** The JSON Schema (2020-12) of the roster file, for editors: `# yaml-language-server: $schema=roster.schema.json`. */
export const rosterJsonSchema = (): object => ({
  title: 'Coxswain roster',
  ...z.toJSONSchema(RosterFile, {
    io: 'input',
    reused: 'inline',
    // Keys that begin with `x-` are left out when a roster is read.
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) jsonSchema.patternProperties = { '^x-': {} };
    },
  }),
});
