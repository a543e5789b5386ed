/** A chart as a text in one of the formats of `cox machines export`. */

import type { NamedChart } from '../../actors/inspect/charts.ts';
import type { MachineReport } from '../../bus/inspect/machine-report.ts';
import { chartPicture } from '../../machines/chart/chart-picture.ts';
import { definitionOf } from '../../machines/chart/definition.ts';
import { dotOf } from '../../machines/chart/dot.ts';
import { marksOf, noMarks } from '../../machines/chart/marks.ts';
import { mermaidOf } from '../../machines/chart/mermaid.ts';
import { scxmlOf } from '../../machines/chart/scxml.ts';
import type { Theme } from './chart-svg.ts';

export const formats = ['json', 'mermaid', 'svg', 'dot', 'scxml'] as const;
export type Format = (typeof formats)[number];

export interface TextOptions {
  readonly format: Format;
  /** A task that is marked in it. JSON has it under `meta`, which XState leaves alone. */
  readonly live?: MachineReport['live'];
  /** Of an SVG. Default: light. */
  readonly theme?: Theme;
}

export async function chartText({ machine, version, direction }: NamedChart, options: TextOptions): Promise<string> {
  const { format, live, theme = 'light' } = options;
  const marks = live ? marksOf(machine, live) : noMarks;
  switch (format) {
    case 'json': {
      const definition = definitionOf(machine, version ?? undefined);
      return `${JSON.stringify({ ...definition, ...(live && { meta: { live } }) }, null, 2)}\n`;
    }
    case 'mermaid':
      return lines(mermaidOf(machine, marks));
    case 'dot':
      return lines(dotOf(machine, direction, marks));
    case 'scxml':
      return lines(scxmlOf(machine, version ?? undefined, marks));
    case 'svg': {
      // The layout is 1.6 MB of code, which no other command needs.
      const { svgOf } = await import('./chart-svg.ts');
      return (await svgOf(chartPicture(machine, direction, marks)))[theme];
    }
  }
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;
