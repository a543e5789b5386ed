import { parseRoster } from '../../roster/load.ts';
import type { Roster } from '../../roster/schema.ts';

/** A roster with two backends on the scripted model server: `main`, and `other`, which routing takes only when `main` cannot. */
export const testRoster = (url: string, more = ''): Roster =>
  parseRoster(
    `backends:
  main: { base_url: "${url}", model: scripted, tier: local, good_at: [files, reasoning, plan], can_orchestrate: true, concurrency: 64 }
  other: { base_url: "${url}", model: other, tier: local, good_at: [spare] }
agents:
  files: { prompt: You work on files., tools: [list_files, read_file, search_files, write_file, edit_file, apply_patch], needs: [files] }
  reasoning: { prompt: You think., needs: [reasoning] }
limits: { retries: 0, breaker_failures: 1000 }
${more}`,
    '/roster.yaml',
  );
