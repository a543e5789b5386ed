/** What the surfaces of this process do for the words of an approval. The parts are loaded when a word needs them. */
import type { Bus } from '../bus/bus.ts';
import type { ApprovalHelp } from './approval.ts';
import type { Cli } from './cli.ts';
import type { EditorRoom } from './editor.ts';
import { usageError } from './errors.ts';

type Room = Pick<EditorRoom, 'terminal' | 'lend'>;

export const approvalHelp = (cli: Cli, bus: Bus, { terminal, lend }: Room): ApprovalHelp => ({
  async edit(text, suffix) {
    if (!cli.stdin.isTTY || !terminal.isTTY)
      throw usageError('`edit` opens an editor, and this is no terminal.', 'Answer `approve`, or `no` and what to change.');
    const { editedText } = await import('./editor.ts');
    return editedText(text, suffix, { ...cli, terminal, lend });
  },
  async allowAlways(tool) {
    const { allowAlways } = await import('./allow-always.ts');
    return allowAlways(cli, bus, tool);
  },
});
