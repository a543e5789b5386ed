import { z } from 'zod';
import { RosterFile } from './schema.ts';

/** The JSON Schema (2020-12) of the roster file, for editors: `# yaml-language-server: $schema=roster.schema.json`. */
export const rosterJsonSchema = (): object => ({
  title: 'Coxswain roster',
  ...z.toJSONSchema(RosterFile, { io: 'input', reused: 'inline' }),
});
