/** The backends as a menu: strengths, price, and the reason if one is not available. */
import type { Learnt } from '../../roster/lessons.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import type { Probe } from '../../roster/probe.ts';
import { dollars } from './figures.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { timeAndAge } from './times.ts';

export function menuLines(
  menu: readonly (MenuEntry & { readonly probe?: Probe | undefined })[],
  paint: Paint,
  now: Date,
): string[] {
  if (menu.length === 0) return ['The roster has no backends.'];
  const width = Math.max(...menu.map(({ name }) => name.length));
  return menu.flatMap((entry) => {
    const mark = entry.available ? paint.green('✓') : paint.red('✗');
    const facts = [
      entry.tier,
      entry.model ?? entry.kind,
      entry.goodAt.join(', '),
      entry.canOrchestrate ? 'can orchestrate' : '',
      price(entry.cost),
      entry.context ? `${Math.round(entry.context / 1000)}k context` : '',
    ].filter((fact) => fact !== '');
    const why = entry.why ? ` ${paint.yellow(`(${entry.why})`)}` : '';
    return [
      `${mark} ${paint.bold(entry.name.padEnd(width))}  ${facts.join(paint.dim(' · '))}${why}`,
      ...(entry.probe ? [`    ${probeLine(entry.probe, paint)}`] : []),
      ...(entry.learnt ?? []).map((lesson) => `    ${paint.dim(learntLine(lesson, now))}`),
    ];
  });
}

function probeLine(probe: Probe, paint: Paint): string {
  if (!probe.answers) return paint.red(`asked now: ${printable(probe.why)}`);
  const found = [
    `answered in ${probe.replyMs} ms`,
    probe.callsTools ? 'calls tools' : 'did not call the tool',
    probe.fitsShape ? 'gives JSON of a given shape' : 'gave no JSON of the given shape',
    probe.tellsThoughts ? 'tells its thoughts' : '',
    probe.costUsd > 0 ? `cost ${dollars(probe.costUsd)}` : '',
  ];
  return paint.dim(`asked now: ${found.filter(Boolean).join(' · ')}`);
}

export const learntLine = ({ what, why, since }: Learnt, now: Date): string =>
  `since ${timeAndAge(since, now)} ${what}: ${printable(why)}`;

const price = (cost: MenuEntry['cost']): string =>
  cost === null ? '' : cost.input + cost.output === 0 ? 'free' : `$${cost.input} in, $${cost.output} out per million tokens`;
