/** Lines that list the charts. */
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

export interface MachineRow {
  readonly name: string;
  readonly version: number | null;
  readonly file: string;
  readonly does: string;
}

export function machineLines(rows: readonly MachineRow[], paint: Paint): string[] {
  const width = Math.max(0, ...rows.map(({ name }) => oneLine(name).length));
  return rows.map(({ name, version, file, does }) => {
    const of = version === null ? oneLine(file) : `${oneLine(file)}, checkpoints of version ${version}`;
    return `${paint.bold(oneLine(name).padEnd(width))}  ${oneLine(does)} ${paint.dim(`(${of})`)}`;
  });
}
