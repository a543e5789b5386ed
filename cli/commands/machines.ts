/** `cox machines list` and `cox machines export`: the charts as they are, for eyes and for other tools. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { chartNamed, charts, type NamedChart } from '../../actors/inspect/charts.ts';
import type { MachineReport } from '../../bus/inspect/machine-report.ts';
import { chartText, formats } from '../chart/chart-text.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseOptions } from '../parse-options.ts';
import { machineLines } from '../render/machines.ts';
import { saveFile } from '../save-file.ts';

const Shape = z.object({
  format: z.enum(formats, `expected one of ${formats.join(', ')}`).default('json'),
  live: z.string().min(1).optional(),
  output: z.string().min(1, 'expected a file, or - for stdout').default('-'),
  dark: z.literal(true).optional(),
  force: z.literal(true).optional(),
});
type Chosen = z.infer<typeof Shape>;

export const run: Run = async (cli, [action = 'list', name], options) => {
  const chosen = parseOptions(Shape, options);
  if (action === 'list' && name === undefined) return list(cli);
  if (action !== 'export')
    throw usageError(`There is no "cox machines ${action}".`, 'There are: cox machines list, cox machines export <machine>.');
  if (name === undefined && chosen.live === undefined)
    throw usageError('Which chart?', `One of ${charts.map(({ machine }) => machine.id).join(', ')}, or --live with a task.`);
  const live = chosen.live === undefined ? null : await liveOf(cli, chosen.live);
  const chart = chartNamed(name ?? live?.machine ?? '');
  if (live && live.machine !== chart.machine.id)
    throw usageError(`${chosen.live} runs the chart ${live.machine}, not ${chart.machine.id}.`, 'Leave the chart out.');
  return write(cli, chart, live, chosen);
};

function list(cli: Cli): ExitCode {
  const machines = charts.map(({ machine, version, file, does }) => ({ name: machine.id, version, file, does }));
  cli.out.answer({ machines }, machineLines(machines, cli.out.paint.stdout));
  return exitCodes.ok;
}

async function liveOf(cli: Cli, ref: string): Promise<MachineReport> {
  const [{ withCrew, findTask }, { machineOf }] = await Promise.all([
    import('../session.ts'),
    import('../inspect/machine-of.ts'),
  ]);
  return withCrew(cli, { start: 'if stored' }, async (joined) => machineOf(joined, await findTask(joined.crew, ref)));
}

async function write(cli: Cli, chart: NamedChart, live: MachineReport | null, { format, output, dark, force }: Chosen) {
  const text = await chartText(chart, { format, ...(live?.live && { live: live.live }), theme: dark ? 'dark' : 'light' });
  const about = { machine: chart.machine.id, version: chart.version, format, ...(live?.live && { live: live.live }) };
  if (output === '-') {
    cli.out.content({ ...about, text }, text);
    return exitCodes.ok;
  }
  const file = resolve(cli.cwd, output);
  await saveFile(file, Buffer.from(text), force === true);
  cli.out.answer({ ...about, file }, [`${file}: the chart ${chart.machine.id} as ${format}`]);
  return exitCodes.ok;
}
