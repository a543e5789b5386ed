/** `cox nodes`: lists the nodes of the crew and the tasks they hold. */
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { nodeLines } from '../render/nodes.ts';
import { withCrew } from '../session.ts';

export const run: Run = async (cli) =>
  withCrew(cli, { start: false }, async ({ bus }) => {
    const { allNodes } = await import('../../bus/nodes.ts');
    const nodes = await allNodes(bus);
    cli.out.answer({ nodes }, nodeLines(nodes, bus.now(), cli.out.paint.stdout));
    return exitCodes.ok;
  });
